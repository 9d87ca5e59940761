import assert from "node:assert/strict";
import { parseConfig } from "./index.ts";
import { problems } from "./problems.fixture.ts";

const head = "version: 1\ntrustDomain: example.internal\n";
const client = "signIn: { clientId: sallyport, clientSecret: env:SECRET }";
const provider = (more: string) =>
  `trust: { oidc: [{ name: corp, issuer: "https://idp.example.com", audience: sallyport, algorithms: [ES256], ${more} }] }\n`;
const front = (more = "") => `authn: { signIn: { url: "https://sallyport.example.com"${more} } }\n`;

describe("signing in at authn, in the configuration", () => {
  it("is a client at the issuer and the address of the pages", () => {
    const clients = `, clients: [{ id: console, redirectUris: ["https://console.example.com/callback"] }]`;
    const { authn, trust } = parseConfig(`${head}${provider(client)}${front(clients)}`, "sallyport.yaml");
    assert.deepEqual(authn.signIn?.clients, [{ id: "console", redirectUris: ["https://console.example.com/callback"] }]);
    assert.deepEqual(trust.oidc[0]?.signIn, { clientId: "sallyport", clientSecret: "env:SECRET", scopes: [] });
  });

  const refused: readonly [name: string, said: RegExp, text: string][] = [
    ["a client without the pages", /trust\.oidc\.0\.signIn: needs authn\.signIn/, provider(client)],
    ["the pages without a client", /authn\.signIn: nobody can sign in there/, front()],
    [
      "a secret in the file",
      /clientSecret: must be a reference/,
      provider("signIn: { clientId: sallyport, clientSecret: hunter2 }") + front(),
    ],
    ["no secret", /clientSecret: is missing/, provider("signIn: { clientId: sallyport }") + front()],
    [
      "a client whose ID tokens are not taken",
      /clientId: must be one of audience/,
      provider(client.replace("sallyport", "other")) + front(),
    ],
    ["what is not for people", /signIn: is for people/, provider(`kind: service, ${client}`) + front()],
    ["plain http", /url: must be https/, provider(client) + front().replace("https", "http")],
    ["a path", /url: must be https and nothing but a host/, provider(client) + front().replace(".com", ".com/sallyport")],
    [
      "a redirect to plain http",
      /redirectUris\.0: must be an https URL/,
      provider(client) + front(', clients: [{ id: c, redirectUris: ["http://c.example/"] }]'),
    ],
    [
      "a redirect with a fragment",
      /redirectUris\.0: must be/,
      provider(client) + front(', clients: [{ id: c, redirectUris: ["https://c.example/#"] }]'),
    ],
    [
      "the command line's own id",
      /id: is the command line's own/,
      provider(client) + front(', clients: [{ id: sallyport-cli, redirectUris: ["https://c.example/"] }]'),
    ],
    [
      "two clients of one id",
      /clients\.1\.id: "c" is the id of an earlier client/,
      provider(client) +
        front(', clients: [{ id: c, redirectUris: ["https://c.example/"] }, { id: c, redirectUris: ["https://d.example/"] }]'),
    ],
  ];
  for (const [name, said, text] of refused) it(`refuses ${name}`, () => assert.match(problems(head + text), said));
});
