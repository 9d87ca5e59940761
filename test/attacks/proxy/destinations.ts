import type { Attack, Came, Family } from "./attack.ts";
import type { Lab } from "./lab.ts";

const connect = (name: string, authority: string | ((lab: Lab) => string), refused = "DESTINATION_NOT_ALLOWED"): Attack => ({
  name,
  refused,
  attempt: (lab) => lab.connect(typeof authority === "string" ? authority : authority(lab)),
});
/** A name that configuration passes, with an address that it must not have. */
const resolves = (name: string, host: string): Attack => connect(name, (lab) => `${host}:${lab.elsewhere.port}`);
/** The same by plain HTTP. */
const plainly = async (lab: Lab, host: string): Promise<Came> => {
  const authority = `${host}:${lab.elsewhere.port}`;
  return lab.door((authorization) => `GET http://${authority}/x HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`);
};
const door = (name: string, host: string, which: (lab: Lab) => string): Attack =>
  connect(name, (lab) => `${host}:${which(lab).split(":")[1]}`);

/** Server-side request forgery: into the installation, its network, its cloud. */
export const destinations: Family = {
  name: "destinations",
  attacks: [
    connect("a cloud's metadata", "169.254.169.254:80"),
    connect("metadata, in hex", "0xa9fea9fe:80"),
    connect("metadata, as a number", "2852039166:80"),
    connect("metadata, in octal", "0251.0376.0251.0376:80"),
    connect("metadata, in mixed notation", "169.254.43518:80"),
    connect("metadata, mapped into IPv6", "[::ffff:169.254.169.254]:80"),
    connect("metadata by IPv6", "[fd00:ec2::254]:80"),
    connect("metadata by name", "metadata.google.internal:80"),
    connect("loopback", "127.0.0.1:22"),
    connect("loopback, short", "127.1:22"),
    connect("loopback, in hex", "0x7f000001:22"),
    connect("loopback, as a number", "2130706433:22"),
    connect("loopback, in octal", "0177.0.0.1:22"),
    connect("loopback by IPv6", "[::1]:22"),
    connect("loopback, mapped into IPv6", "[::ffff:127.0.0.1]:22"),
    connect("loopback, translated to IPv6", "[64:ff9b::7f00:1]:22"),
    connect("loopback by name", "localhost:22"),
    connect("loopback by name, with a dot", "localhost.:22"),
    connect("any address", "0.0.0.0:22"),
    connect("any address by IPv6", "[::]:22"),
    connect("a private network", "10.0.0.5:80"),
    connect("an IPv6 address with a zone", "[fe80::1%25eth0]:80", "INVALID_REQUEST"),
    connect("a percent-encoded name", "local%68ost:22", "INVALID_REQUEST"),
    connect("digits in circles", "①②⑦.0.0.1:22", "INVALID_REQUEST"),
    connect("a port beyond ports", "api.a.test:65536", "INVALID_REQUEST"),
    resolves("a passed name that is loopback", "127.0.0.1.v4.dns.test"),
    resolves("a passed name that is metadata", "169.254.169.254.v4.dns.test"),
    resolves("a passed name that is a private address", "10.0.0.5.v4.dns.test"),
    resolves("a passed name that is any address", "0.0.0.0.v4.dns.test"),
    resolves("a passed name that is shared address space", "100.64.0.1.v4.dns.test"),
    resolves("a passed name that is IPv6's loopback", "--1.v6.dns.test"),
    resolves("a passed name that is mapped loopback", "--ffff-7f00-1.v6.dns.test"),
    resolves("a passed name that is translated metadata", "64-ff9b--a9fe-a9fe.v6.dns.test"),
    resolves("a passed name that is a unique local address", "fd00-ec2--254.v6.dns.test"),
    resolves("a passed name with one good and one bad address", "mixed.dns.test"),
    {
      name: "a passed name by plain HTTP that is metadata",
      refused: "DESTINATION_NOT_ALLOWED",
      attempt: (lab) => plainly(lab, "169.254.169.254.v4.dns.test"),
    },
    {
      name: "a name that was good when it was asked for first",
      refused: "DESTINATION_NOT_ALLOWED",
      attempt: async (lab) => {
        await plainly(lab, "rebinds.dns.test");
        lab.elsewhere.reached.length = 0;
        return plainly(lab, "rebinds.dns.test");
      },
    },
    connect("a passed name that is this machine", "rebound.test:81"),
    connect("another port of a passed name", (lab) => `one.away.test:${lab.elsewhere.port + 1}`),
    connect("the name above a passed one", (lab) => `away.test:${lab.elsewhere.port}`),
    connect("a name that ends like a passed one", (lab) => `xaway.test:${lab.elsewhere.port}`),
    connect("a passed name with a dot", (lab) => `one.away.test.:${lab.elsewhere.port}`),
    door("the proxy's own door", "gateway.test", (lab) => lab.site.proxy),
    door("the door of agents", "127.0.0.1", (lab) => lab.site.endpoints.authn),
    door("the door of client certificates", "[::ffff:127.0.0.1]", (lab) => lab.site.authnMtls),
    door("the edge", "localhost", (lab) => lab.site.edge),
    {
      name: "the proxy by way of itself",
      refused: "DESTINATION_NOT_ALLOWED",
      attempt: (lab) =>
        lab.door(
          (authorization) => `GET https://${lab.site.proxy}/t/echo/anything HTTP/1.1\r\nHost: ${lab.site.proxy}\r\n${authorization}\r\n`,
        ),
    },
    {
      name: "a request that has come through before",
      refused: "DESTINATION_NOT_ALLOWED",
      attempt: async (lab) => {
        await plainly(lab, "one.away.test");
        const headers = lab.elsewhere.reached[0]?.rawHeaders ?? [];
        const via = headers[headers.findIndex((name) => /^via$/i.test(name)) + 1];
        lab.elsewhere.reached.length = 0;
        const authority = `one.away.test:${lab.elsewhere.port}`;
        return lab.door(
          (authorization) => `GET http://${authority}/x HTTP/1.1\r\nHost: ${authority}\r\nVia: 1.0 else, ${via}\r\n${authorization}\r\n`,
        );
      },
    },
  ],
  twins: [
    {
      name: "a passed name",
      attempt: async (lab) => ({ ...(await plainly(lab, "one.away.test")), status: lab.elsewhere.reached.length === 1 ? 200 : 0 }),
    },
    {
      name: "a passed name whose listed address the name service gives",
      attempt: async (lab) => ({ ...(await plainly(lab, "127.0.0.2.v4.dns.test")), status: lab.elsewhere.reached.length === 1 ? 200 : 0 }),
    },
    { name: "a target", attempt: (lab) => lab.inside(lab.head("GET /anything")) },
  ],
};
