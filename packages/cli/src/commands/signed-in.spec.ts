import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { AccessState, Action, Binding, LinkKind, Refusal } from "@sallyport/contracts";
import { readHandover } from "@sallyport/sdk";
import { FakeInstallation, sallyport } from "../command-line.fixture.ts";

const chain = { links: [{ id: "corp/alice", kind: LinkKind.PERSON, sessionId: "s".repeat(22) }], groups: ["corp/release-team"] };
const ceiling = { entries: [{ actions: [Action.USE, Action.APPROVE], secrets: ["*"], targets: ["*"] }] };
const nasty = "a\u001b]0;x\u0007\u202eb\n\u009b2J";

describe("the command line, signed in", () => {
  let fake: FakeInstallation;
  // biome-ignore lint/suspicious/noExplicitAny: each spec knows the message that it looks for
  const lastAsked = (name: string): any => fake.asked.findLast(([asked]) => asked === name)?.[1];
  const never = (name: string) => assert.ok(!fake.asked.some(([asked]) => asked === name), `${name} was asked`);

  before(async () => {
    fake = await FakeInstallation.start();
    fake.answers.exchange = () => ({
      credential: { token: "h.c.s", sessionId: "s".repeat(22), chain, ceiling, expiresAt: timestampFromMs(Date.now() + 600_000) },
    });
    const { code, stderr } = await sallyport(["login", "--id-token-stdin", ...fake.where], "id.to.ken\n");
    assert.equal(code, 0, stderr);
  });
  beforeEach(() => {
    fake.asked.length = 0;
  });
  after(() => fake.stop());

  describe("login", () => {
    it("takes the token from standard input and remembers key and credential for their owner alone", async () => {
      const ran = await sallyport(["login", "--id-token-stdin", "--profile", "other", ...fake.where, "-o", "json"], "id.to.ken\n");
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(lastAsked("exchange").subjectToken, "id.to.ken");
      assert.equal(lastAsked("exchange").ceiling, undefined);
      assert.equal(JSON.parse(ran.stdout).id, "corp/alice");
      const file = join(fake.home, "other.json");
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(statSync(fake.home).mode & 0o777, 0o700);
      assert.ok(!ran.stdout.includes("h.c.s") && !ran.stderr.includes("h.c.s"));
    });

    it("signs an agent in with a ceiling, and never without", async () => {
      const agent = ["login", "--id-token-stdin", "--agent", "release", "--profile", "agent", ...fake.where];
      assert.equal((await sallyport(agent, "t")).code, 2);
      const ran = await sallyport([...agent, "--action", "use", "--secret", "prod/*", "--target", "orders-api"], "t");
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(plain(lastAsked("exchange").ceiling), {
        entries: [{ actions: [Action.USE], secrets: ["prod/*"], targets: ["orders-api"] }],
      });
    });

    it("says what is missing", async () => {
      for (const [args, says] of [
        [["login", ...fake.where], /--id-token-stdin/],
        [["login", "--id-token-stdin", "-c", "/nowhere/sallyport.yaml"], /sallyport init/],
        [["login", "--id-token-stdin", "--authn", "localhost:1"], /--audience/],
        [["login", "--id-token-stdin", "--authn", "localhost:1", "--audience", "https://a", "--ca", "/nowhere"], /cannot be read/],
        [["login", "--id-token-stdin", ...fake.where], /holds no token/],
      ] as const) {
        const ran = await sallyport(args, "\n");
        assert.equal(ran.code, 2, ran.stderr);
        assert.match(ran.stderr, says);
      }
    });

    it("says how to connect whom a configuration does not have", async () => {
      const file = join(fake.home, "nobody.yaml");
      writeFileSync(file, "version: 1\ntrustDomain: example.internal\n");
      for (const [args, says] of [
        [["login", "-c", file, ...fake.where], /nobody\.yaml has no OIDC issuer for people: sallyport connections add issuer /],
        [["login", "--provider", "corp", "-c", file, ...fake.where], /nobody\.yaml has no OIDC issuer for people: /],
        [
          ["login", "--saml", "staff", "-c", file, ...fake.where],
          /no SAML provider staff .*nobody\.yaml has none with spInitiated: true below trust\.saml/,
        ],
      ] as const) {
        const ran = await sallyport(args, "");
        assert.equal(ran.code, 2, ran.stderr);
        assert.match(ran.stderr, says);
      }
    });

    it("reports a Sallyport that is not there as unavailable", async () => {
      const ran = await sallyport(["login", "--id-token-stdin", "--authn", "127.0.0.1:1", "--audience", "https://test.internal"], "t");
      assert.equal(ran.code, 7);
      assert.match(ran.stderr, /^TARGET_UNAVAILABLE: .*127\.0\.0\.1:1/);
    });
  });

  describe("a profile", () => {
    it("that is not there, or damaged, is exit code 4", async () => {
      const nobody = await sallyport(["whoami", "--profile", "nobody"]);
      assert.equal(nobody.code, 4);
      assert.match(nobody.stderr, /run: sallyport login --profile nobody$/m);
      writeFileSync(join(fake.home, "broken.json"), "{}");
      const ran = await sallyport(["whoami", "--profile", "broken"]);
      assert.equal(ran.code, 4);
      assert.match(ran.stderr, /sign in again: sallyport login --profile broken$/m);
    });

    it("has a name that cannot leave its folder", async () => {
      assert.equal((await sallyport(["whoami", "--profile", "../default"])).code, 2);
    });

    it("keeps a credential that was renewed meanwhile", async () => {
      const renewed = { token: "h2.c.s", sessionId: "s".repeat(22), chain, ceiling, expiresAt: timestampFromMs(Date.now() + 600_000) };
      fake.answers.exchange = () => ({ credential: { ...renewed, token: "h.c.s", expiresAt: timestampFromMs(Date.now() + 30_000) } });
      await sallyport(["login", "--id-token-stdin", "--profile", "short", ...fake.where], "t");
      fake.answers.renew = () => ({ credential: renewed });
      fake.answers.listReviews = () => ({ reviews: [] });
      const ran = await sallyport(["reviews", "ls", "--profile", "short"]);
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(JSON.parse(readFileSync(join(fake.home, "short.json"), "utf8")).credential.token, "h2.c.s");
    });

    it("is forgotten by logout, which ends the session only where it is told to", async () => {
      fake.answers.revoke = () => ({ sequence: 1n });
      assert.equal((await sallyport(["logout", "--profile", "other"])).code, 0);
      never("revoke");
      assert.equal((await sallyport(["whoami", "--profile", "other"])).code, 4);
      assert.equal((await sallyport(["logout", "--end", "--profile", "agent"])).code, 0);
      assert.deepEqual(lastAsked("revoke").subject, { case: "sessionId", value: "s".repeat(22) });
    });
  });

  describe("sessions", () => {
    const agent = (name: string, sessionId: string) => ({
      chain: { ...chain, links: [...chain.links, { id: `corp/alice#${name}`, kind: LinkKind.AGENT, sessionId }] },
      ceiling,
      startedAt: timestampFromMs(0),
      endsAt: timestampFromMs(3_600_000),
      binding: Binding.MTLS,
      thumbprint: "t",
      enrolled: true,
    });
    beforeEach(() => {
      fake.answers.listLiveSessions = ({ pageToken }) =>
        pageToken === ""
          ? { sessions: [agent("release", "r".repeat(22))], nextPageToken: "next" }
          : { sessions: [agent("deploy", "d".repeat(22))] };
    });

    it("ls reads every page, of the principal that is named", async () => {
      const ran = await sallyport(["sessions", "ls", "--principal", "corp/alice", "-o", "json"]);
      assert.equal(ran.code, 0, ran.stderr);
      assert.deepEqual(
        JSON.parse(ran.stdout).map(({ id }: { id: string }) => id),
        ["corp/alice#deploy", "corp/alice#release"],
      );
      assert.equal(lastAsked("listLiveSessions").principal, "corp/alice");
    });

    it("show says all of one, and kill ends exactly it, for a reason", async () => {
      const ran = await sallyport(["sessions", "show", "corp/alice#deploy", "-o", "json"]);
      assert.equal(ran.code, 0, ran.stderr);
      const { session, binding, state } = JSON.parse(ran.stdout);
      assert.deepEqual([session, binding, state], ["d".repeat(22), "mtls", "live"]);
      assert.match((await sallyport(["sessions", "show", "corp/alice#deploy"])).stdout, /^ends at +1970-01-01T01:00:00.000Z$/m);
      assert.equal((await sallyport(["sessions", "show", "corp/alice#none"])).code, 2);
      fake.answers.revoke = () => ({ sequence: 1n });
      assert.equal((await sallyport(["sessions", "kill", session])).code, 2);
      never("revoke");
      assert.equal((await sallyport(["sessions", "kill", session, "--reason", "misbehaves"])).code, 0);
      assert.deepEqual(lastAsked("revoke").subject, { case: "sessionId", value: session });
    });
  });

  it("whoami shows others' text on one line each, whatever is in it", async () => {
    fake.answers.whoAmI = () => ({ chain: { links: chain.links, groups: [nasty] }, ceiling, thumbprint: "t" });
    for (const form of ["table", "json", "jsonl", "yaml"]) {
      const { stdout, code } = await sallyport(["whoami", "-o", form]);
      assert.equal(code, 0);
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    }
    assert.equal(JSON.parse((await sallyport(["whoami", "-o", "json"])).stdout).groups[0], nasty);
  });

  it("delegate prints the one line for the child, and nothing else, on standard output", async () => {
    fake.answers.issueTicket = () => ({ ticket: "t.i.cket", sessionId: "c".repeat(22) });
    const args = [
      "delegate",
      "--name",
      "deploy",
      "--thumbprint",
      "A".repeat(43),
      "--action",
      "use",
      "--action",
      "read",
      "--secret",
      "prod/*",
      "--target",
      "*",
    ];
    const ran = await sallyport(args);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout.split("\n").length, 2);
    assert.equal(readHandover(ran.stdout).ticket, "t.i.cket");
    assert.deepEqual(plain(lastAsked("issueTicket").ceiling), {
      entries: [{ actions: [Action.USE, Action.READ], secrets: ["prod/*"], targets: ["*"] }],
    });
    assert.equal((await sallyport(args.slice(0, 5))).code, 2);
    assert.equal((await sallyport([...args, "--action", "everything"])).code, 2);
    assert.equal((await sallyport([...args, "--ttl", "61"])).code, 2);
  });

  describe("secrets", () => {
    it("ls reads every page", async () => {
      fake.answers.list = ({ pageToken }) =>
        pageToken === "" ? { secrets: [{ name: "a", categories: ["x"] }], nextPageToken: "a" } : { secrets: [{ name: "b" }] };
      const { stdout } = await sallyport(["secrets", "ls", "-o", "jsonl"]);
      assert.deepEqual(
        stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).name),
        ["a", "b"],
      );
    });

    it("write takes a JSON object or one raw value from standard input, byte by byte", async () => {
      let fields: Record<string, string> = {};
      fake.answers.write = (request) => {
        fields = Object.fromEntries(
          Object.entries(request.fields as Record<string, Uint8Array>).map(([name, value]) => [
            name,
            Buffer.from(value).toString("latin1"),
          ]),
        );
        return { version: "4" };
      };
      const write = (input: string | Uint8Array, ...args: string[]) => sallyport(["secrets", "write", "prod/x", ...args], input);
      assert.equal(JSON.parse((await write('{"token":"hello-there","user":"u"}', "-o", "json")).stdout).version, "4");
      assert.deepEqual(fields, { token: "hello-there", user: "u" });
      const kept = await write(Buffer.from([0xff, 0x00, 0x0a]), "--field", "token");
      assert.deepEqual(fields, { token: "\u00ff\u0000\n" });
      assert.match(kept.stderr, /--trim/);
      await write("value\r\n", "--field", "token", "--trim");
      assert.deepEqual(fields, { token: "value" });
    });

    it("write quotes nothing of what it could not read", async () => {
      for (const input of ["canary-value", '{"token":"canary-value"', '["canary-value"]', '{"token":{"v":"canary-value"}}', "{}"]) {
        const ran = await sallyport(["secrets", "write", "prod/x"], input);
        assert.equal(ran.code, 2);
        assert.ok(!ran.stderr.includes("canary"), ran.stderr);
      }
      never("write");
    });
  });

  describe("use http", () => {
    const use = [
      "use",
      "http",
      "--target",
      "orders-api",
      "--path",
      "/v1/refunds",
      "--method",
      "post",
      "--header",
      "Content-Type: application/json",
      "--data-stdin",
    ];
    const answered = [
      { part: { case: "head", value: { status: 200, headers: [{ name: "x", value: nasty }], eventUid: "e1" } } },
      { part: { case: "data", value: Buffer.from('{"token":"[sallyport:x#token]"}') } },
      { part: { case: "end", value: { maskedValues: 1n } } },
    ];
    const needsApproval = () => {
      throw new Refusal("APPROVAL_REQUIRED", "A person must approve this first.", { metadata: { access_request_id: "id-1" } });
    };

    it("gives the masked body on standard output, the rest beside it", async () => {
      fake.answers.use = () => answered;
      const ran = await sallyport(use, "{}");
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(ran.stdout, '{"token":"[sallyport:x#token]"}');
      assert.match(ran.stderr, /^200 .*e1/);
      assert.ok(!ran.stderr.includes("\u001b"));
      const { operation, target } = lastAsked("use");
      assert.equal(target, "orders-api");
      assert.equal(operation.value.method, "POST");
      assert.equal(Buffer.from(operation.value.body).toString(), "{}");
      const json = JSON.parse((await sallyport([...use, "-o", "json"], "{}")).stdout);
      assert.deepEqual([json.status, json.maskedValues, json.body], [200, 1, '{"token":"[sallyport:x#token]"}']);
    });

    it("that needs an approval ends with exit code 5 and says what to wait for", async () => {
      fake.answers.use = needsApproval;
      const ran = await sallyport(use, "{}");
      assert.equal(ran.code, 5);
      assert.match(ran.stderr, /APPROVAL_REQUIRED/);
    });

    it("waits for people where it is told to, then sends the same call with what was granted", async () => {
      fake.answers.use = ({ accessRequestId }) => (accessRequestId === "id-1" ? answered : needsApproval());
      fake.answers.waitForAccess = () => ({ accessRequest: { id: "id-1", state: AccessState.GRANTED } });
      const ran = await sallyport([...use, "--wait"], "{}");
      assert.equal(ran.code, 0, ran.stderr);
      fake.answers.waitForAccess = () => ({ accessRequest: { id: "id-1", state: AccessState.REJECTED } });
      assert.equal((await sallyport([...use, "--wait", "30"], "{}")).code, 3);
    });

    it("says that nobody knows where the answer breaks off", async () => {
      fake.answers.use = () => answered.slice(0, 2);
      const ran = await sallyport(use, "{}");
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /OUTCOME_UNKNOWN/);
    });
  });

  it("request asks people beforehand, and uses nothing", async () => {
    fake.answers.requestAccess = () => ({ accessRequest: { id: "id-1", state: AccessState.PENDING } });
    const request = ["request", "--target", "orders-api", "--path", "/v1/orders/1", "--reason", "ticket 7", "-o", "json"];
    assert.deepEqual(JSON.parse((await sallyport(request)).stdout), { id: "id-1", state: "pending", expiresAt: "" });
    assert.equal(lastAsked("requestAccess").reason, "ticket 7");
    fake.answers.waitForAccess = () => ({ accessRequest: { id: "id-1", state: AccessState.GRANTED } });
    assert.equal(JSON.parse((await sallyport([...request, "--wait"])).stdout).state, "granted");
    never("use");
  });

  describe("reviews", () => {
    const review = (digest: string) => ({
      id: "id-1",
      state: AccessState.PENDING,
      chain,
      action: Action.USE,
      secret: "prod/orders/api",
      target: "orders-api",
      summary: "POST /v1/refunds",
      bodyPreview: `{"order":1,"note":"${"x".repeat(1000)}the-end"}\n${nasty}`,
      digest,
      reason: nasty,
    });
    beforeEach(() => {
      fake.answers.getReview = () => ({ review: review("d1") });
      fake.answers.approve = () => ({
        review: { ...review("d1"), state: AccessState.GRANTED, votes: [{ reviewer: "corp/alice", approve: true }] },
      });
    });

    it("approve shows everything that is approved, and votes for the digest that it showed", async () => {
      const ran = await sallyport(["reviews", "approve", "id-1", "--yes", "--reason", "fine", "-o", "json"]);
      assert.equal(ran.code, 0, ran.stderr);
      for (const shown of ["corp/alice", "POST /v1/refunds", "the-end", "d1"]) assert.ok(ran.stderr.includes(shown), shown);
      assert.doesNotMatch(ran.stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      assert.deepEqual(plain(lastAsked("approve")), { reviewId: "id-1", digest: "d1", reason: "fine" });
      assert.equal(JSON.parse(ran.stdout).state, "granted");
    });

    it("approve with a digest approves that one alone", async () => {
      assert.equal((await sallyport(["reviews", "approve", "id-1", "--digest", "d1"])).code, 0);
      fake.asked.length = 0;
      const ran = await sallyport(["reviews", "approve", "id-1", "--digest", "d0"]);
      assert.equal(ran.code, 2);
      never("approve");
    });

    it("approve decides nothing where nobody can be asked, or nobody says yes", async () => {
      assert.equal((await sallyport(["reviews", "approve", "id-1"], "y\n")).code, 2);
      for (const typed of ["", "\n", "n\n", "maybe\n"])
        assert.equal((await sallyport(["reviews", "approve", "id-1"], undefined, typed)).code, 1);
      never("approve");
      assert.equal((await sallyport(["reviews", "approve", "id-1"], undefined, "y\n")).code, 0);
    });

    it("ls reads every page, and only what waits unless told", async () => {
      fake.answers.listReviews = ({ pageToken }) =>
        pageToken === "" ? { reviews: [review("d1")], nextPageToken: "n" } : { reviews: [review("d2")] };
      const { stdout } = await sallyport(["reviews", "ls"]);
      assert.equal(stdout.trim().split("\n").length, 3);
      assert.equal(lastAsked("listReviews").pendingOnly, true);
      await sallyport(["reviews", "ls", "--all"]);
      assert.equal(lastAsked("listReviews").pendingOnly, false);
    });
  });

  it("revoke ends exactly one kind of thing, for a reason", async () => {
    fake.answers.revoke = () => ({ sequence: 7n });
    const ran = await sallyport(["revoke", "--agent", "corp/ci#release/deploy", "--reason", "misbehaves", "-o", "json"]);
    assert.deepEqual(JSON.parse(ran.stdout), { revoked: true, sequence: "7" });
    assert.deepEqual(lastAsked("revoke").subject, { case: "agent", value: "corp/ci#release/deploy" });
    fake.asked.length = 0;
    for (const subject of [
      [],
      ["--agent", "a", "--principal", "b"],
      ["--started-before", "yesterday"],
      ["--started-before", "2026-11-25"],
    ]) {
      assert.equal((await sallyport(["revoke", "--reason", "r", ...subject])).code, 2);
    }
    assert.equal((await sallyport(["revoke", "--principal", "corp/alice"])).code, 2);
    never("revoke");
  });
});

/** A message without its type's name. */
const plain = (message: unknown): unknown => JSON.parse(JSON.stringify(message, (key, value) => (key.startsWith("$") ? undefined : value)));
