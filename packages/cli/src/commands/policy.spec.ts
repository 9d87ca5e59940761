import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const examples = fileURLToPath(new URL("../../../../deploy/policies", import.meta.url));
const program = `import { policyCommand } from ${JSON.stringify(new URL("./policy.ts", import.meta.url).href)}; await policyCommand().parseAsync(process.argv.slice(1), { from: "user" });`;

function policy(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program, "--", ...words], {
    encoding: "utf8",
    cwd: tmpdir(),
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status, stdout, stderr };
}

describe("sallyport policy", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-cli-policy-"));
    mkdirSync(join(folder, "tests"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("check says that a good folder would be served, and where a bad one is wrong", () => {
    const good = policy("check", "--policies", examples);
    assert.deepEqual([good.status, good.stderr], [0, ""]);
    assert.match(good.stdout, /^ok \d+ policies, version [0-9a-f]{64}\n$/);
    writeFileSync(join(folder, "a.cedar"), '\n@id("a") permit (principal, action == Action::"usee", resource);');
    const bad = policy("check", "--policies", folder);
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /^refused a\.cedar:2:39: .*did you mean `Action::"use"`/);
    assert.equal(JSON.parse(policy("check", "--policies", folder, "-o", "json").stdout).served, false);
  });

  it("check warns of names that no connection serves, where it knows the configuration", () => {
    mkdirSync(join(folder, "policies"));
    writeFileSync(
      join(folder, "policies", "a.cedar"),
      '@id("a") forbid (principal, action == Action::"use", resource == Secret::"prod/ordres/api");',
    );
    writeFileSync(join(folder, "sallyport.yaml"), "version: 1\ntrustDomain: example.internal\npolicies: ./policies\n");
    const checked = policy("check", "-c", join(folder, "sallyport.yaml"));
    assert.equal(checked.status, 0, checked.stderr);
    assert.match(
      checked.stdout,
      /^warning a\.cedar:1:74: no connection serves the secret "prod\/ordres\/api", so this policy forbids nothing/,
    );
    assert.match(checked.stdout, /\nok 1 policies/);
    assert.doesNotMatch(policy("check", "--policies", join(folder, "policies")).stdout, /warning/);
  });

  it("test runs the tests beside the policies, and fails with what was decided instead", () => {
    const good = policy("test", "--policies", examples);
    assert.equal(good.status, 0, good.stdout + good.stderr);
    assert.match(good.stdout, /^\d+ passed, 0 failed\n$/);
    writeFileSync(join(folder, "a.cedar"), '@id("a") permit (principal, action == Action::"use", resource);');
    writeFileSync(
      join(folder, "tests", "a.yaml"),
      "catalogue: { secrets: { x: {} }, targets: [t] }\ntests:\n  - name: nobody\n    given: { chain: [corp/alice], action: use, secret: x, target: t }\n    expect: deny\n",
    );
    const bad = policy("test", "--policies", folder);
    assert.equal(bad.status, 1);
    assert.match(bad.stdout, /^failed .*a\.yaml:3 nobody\n {7}expected deny, got allow: .*\n0 passed, 1 failed\n$/);
    writeFileSync(join(folder, "tests", "a.yaml"), "tests: [");
    const broken = policy("test", "--policies", folder);
    assert.deepEqual([broken.status, broken.stdout], [1, ""]);
    assert.match(broken.stderr, /a\.yaml:1:/);
  });

  it("explain shows each link, its verdict and the policies", () => {
    const asked = [
      "--policies",
      examples,
      "--chain",
      "corp/alice,release",
      "--groups",
      "corp/release-team",
      "--action",
      "use",
      "--secret",
      "prod/orders/api",
    ];
    const rest = ["--category", "payments", "--category", "high-value", "--target", "orders-api", "--fact", "method=POST"];
    const held = policy("explain", ...asked, ...rest);
    assert.equal(held.status, 0, held.stderr);
    assert.match(held.stdout, /^needs-approval {2}For "corp\/alice#release" to use "prod\/orders\/api"/);
    assert.match(
      held.stdout,
      /\n {2}allowed {8}corp\/alice {2}release-team-may-use\n {2}needs-approval corp\/alice#release {2}high-value-needs-approval\n/,
    );
    const granted = policy("explain", ...asked, ...rest, "--approval", "high-value", "-o", "json");
    assert.equal(JSON.parse(granted.stdout).verdict, "allowed");
  });
});
