import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.net.InetAddress;
import java.util.HashMap;

/** Serves the Kubernetes API on a port of this machine, over HTTP, as fabric8's emulator has it: what is written there is kept in memory. */
class KubernetesApi {
  public static void main(String[] arguments) throws Exception {
    var server = new KubernetesMockServer(new Context(), new MockWebServer(), new HashMap<>(), new KubernetesCrudDispatcher(), false);
    server.init(InetAddress.getByName("127.0.0.1"), Integer.parseInt(arguments[0]));
    Thread.currentThread().join();
  }
}
