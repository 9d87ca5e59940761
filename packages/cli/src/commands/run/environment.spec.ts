import assert from "node:assert/strict";
import { environmentOf, withheldSockets } from "./environment.ts";

const settings = {
  proxy: "http://127.0.0.1:4000",
  targets: "http://127.0.0.1:4000/t/",
  certificates: { alone: "/ca.pem", bundle: "/bundle.pem" },
  targetHosts: ["orders.internal"],
};

describe("a tool's environment", () => {
  it("has the proxy and the CA in every spelling, in place of what was there", () => {
    const env = environmentOf({ PATH: "/bin", https_proxy: "http://elsewhere", NO_PROXY: "*" }, settings);
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
      assert.equal(env[name], settings.proxy);
    for (const name of ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT", "npm_config_cafile"])
      assert.equal(env[name], "/bundle.pem");
    assert.deepEqual([env.PATH, env.NODE_EXTRA_CA_CERTS, env.SALLYPORT_TARGETS], ["/bin", "/ca.pem", settings.targets]);
    assert.equal(env.NO_PROXY, "localhost,127.0.0.1,::1");
    assert.equal(env.no_proxy, env.NO_PROXY);
  });

  it("lets no target be reached around the proxy", () => {
    const env = environmentOf({}, { ...settings, targetHosts: ["api.localhost", "127.0.0.1"] });
    assert.equal(env.NO_PROXY, "::1");
  });

  it("has none of Sallyport's own settings, nor a way to processes that could act for the tool outside", () => {
    const outside = {
      SALLYPORT_PROFILE: "x",
      SALLYPORT_HOME: "/h",
      SSH_AUTH_SOCK: "/s",
      DBUS_SESSION_BUS_ADDRESS: "unix:/b",
      DOCKER_HOST: "unix:/d",
      NODE_CHANNEL_FD: "3",
    };
    const env = environmentOf(outside, settings);
    for (const name of Object.keys(outside)) assert.ok(!(name in env), name);
  });

  it("names the sockets of what it has not", () => {
    const sockets = withheldSockets({
      SSH_AUTH_SOCK: "/tmp/ssh-x/agent.1",
      GPG_AGENT_INFO: "/tmp/gpg/S.gpg-agent:1:1",
      DBUS_SESSION_BUS_ADDRESS: "unix:path=/tmp/dbus-a,guid=b;unix:abstract=/tmp/c;tcp:host=d",
      DOCKER_HOST: "unix:///srv/docker.sock",
      DISPLAY: ":0",
      MY_SOCKET: "/tmp/mine",
    });
    assert.deepEqual(sockets, ["/tmp/ssh-x/agent.1", "/tmp/gpg/S.gpg-agent", "/tmp/dbus-a", "/srv/docker.sock"]);
  });
});
