import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { problemText } from "@sallyport/cedar";
import { catalogueOf } from "@sallyport/policy";
import { pino } from "pino";
import { readPolicyFolder } from "./policy-folder.ts";
import { ServedPolicies } from "./served-policies.ts";

const permit = '@id("permit") permit (principal, action, resource);\n';
const forbid = '@id("forbid") forbid (principal, action == Action::"reveal", resource);\n';

describe("the served policies", () => {
  let folder: string;
  let served: ServedPolicies;
  let recorded: string[];
  let recording: () => void;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sallyport-policies-"));
    recorded = [];
    recording = () => {};
    served = new ServedPolicies({
      folder,
      log: pino({ level: "silent" }),
      everyMs: 10,
      records: {
        loaded: async (bundle) => {
          recording();
          recorded.push(`loaded ${bundle.policies.map(({ id }) => id).join()}`);
        },
        refused: async (problems) => void recorded.push(`refused ${problems.map(problemText).join()}`),
      },
    });
  });
  afterEach(async () => {
    await served.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text);
  const ids = () => served.current?.policies.map(({ id }) => id).sort() ?? [];
  const until = async (what: () => boolean) => {
    for (const end = Date.now() + 5000; !what(); await sleep(5)) assert.ok(Date.now() < end, `in time; ${recorded.join("; ")}`);
  };

  it("follow the folder: a changed set is taken over as a whole, and its version with it", async () => {
    write("a.cedar", permit);
    await served.follow();
    const first = served.current?.version;
    mkdirSync(join(folder, "team"));
    write("team/b.cedar", forbid);
    await until(() => ids().length === 2);
    assert.notEqual(served.current?.version, first);
    rmSync(join(folder, "team/b.cedar"));
    await until(() => served.current?.version === first);
    assert.deepEqual(recorded, ["loaded permit", "loaded permit,forbid", "loaded permit"]);
  });

  it("warn of names that no connection serves, and serve all the same", async () => {
    const warned: string[] = [];
    const warning = new ServedPolicies({
      folder,
      log: pino({ level: "warn" }, { write: (line) => void warned.push(JSON.parse(line).msg) }),
      records: { loaded: async () => {}, refused: async () => {} },
      catalogue: catalogueOf({ secrets: { "prod/a": {} }, targets: {} }),
    });
    write(
      "a.cedar",
      '@id("a") permit (principal, action, resource == Secret::"prod/a");\n@id("b") permit (principal, action, resource == Secret::"prod/b");',
    );
    await warning.follow();
    await warning.stop();
    assert.equal(warning.current?.policies.length, 2);
    assert.equal(warned.length, 1, warned.join());
    assert.match(warned[0] ?? "", /^a\.cedar:2:\d+: no connection serves the secret "prod\/b"/);
  });

  it("keep the last good set while the folder's is refused, and say where it is wrong (POLI-15)", async () => {
    write("a.cedar", permit + forbid);
    await served.follow();
    const good = served.current;
    for (const [name, text] of [
      ["b.cedar", '@id("b") permit (principal, action == Action::"use", resource) when { context has path && context.path like "" };'],
      ["b.cedar", '@id("b") permit (principal, action == Action::"usee", resource);'],
      ["b.cedar", ""],
      ["b.cedar", '@id("permit") permit (principal, action, resource);'],
      ["b.cedar", Uint8Array.of(0x2f, 0x2f, 0xff, 0xfe)],
    ] as const) {
      const before = recorded.length;
      write(name, text);
      await until(() => recorded.length > before);
      assert.match(recorded.at(-1) ?? "", /^refused b\.cedar:1:\d+: /);
      assert.equal(served.current, good);
      assert.equal(served.problems.length, 1);
    }
    rmSync(join(folder, "b.cedar"));
    await until(() => served.problems.length === 0);
    assert.equal(served.current, good);
  });

  it("are none without a folder, an empty one, or a file that cannot be read, and come once there is a good set", async () => {
    rmSync(folder, { recursive: true });
    await served.follow();
    assert.equal(served.current, undefined);
    assert.match(recorded[0] ?? "", /the folder of policies cannot be read \(ENOENT\)/);
    mkdirSync(folder);
    await until(() => recorded.length === 2);
    assert.match(recorded[1] ?? "", /there is no \*\.cedar file/);
    symlinkSync("nowhere", join(folder, "b.cedar"));
    write("a.cedar", permit);
    await until(() => recorded.length === 3);
    assert.match(recorded[2] ?? "", /b\.cedar:1:1: the file cannot be read \(ENOENT\)/);
    rmSync(join(folder, "b.cedar"));
    await until(() => ids().length === 1);
  });

  it("are taken over only once the change is on record", async () => {
    write("a.cedar", permit);
    await served.follow();
    let failures = 0;
    recording = () => {
      if (++failures < 3) throw new Error("the journal is full");
    };
    write("b.cedar", forbid);
    await until(() => failures === 2);
    assert.deepEqual(ids(), ["permit"]);
    await until(() => ids().length === 2);
  });

  it("are not taken from a file that is still being written", async () => {
    write("a.cedar", permit + forbid);
    await served.follow();
    // Every look finds another half; the first line alone would be a set without its forbid.
    for (let index = 0; index < 60; index++) {
      write("a.cedar", `${permit}//${"x".repeat(index)}`);
      await sleep(3);
    }
    write("a.cedar", permit + forbid);
    await sleep(100);
    assert.deepEqual(ids(), ["forbid", "permit"]);
    assert.deepEqual(recorded, ["loaded permit,forbid"]);
  });
});

describe("a folder of policies", () => {
  it("is read as volumes are mounted: through links, without dot files, and without going round", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-policies-"));
    try {
      mkdirSync(join(folder, "..data-1"));
      writeFileSync(join(folder, "..data-1", "a.cedar"), permit);
      symlinkSync("..data-1", join(folder, "..data"));
      symlinkSync(join("..data", "a.cedar"), join(folder, "a.cedar"));
      symlinkSync(".", join(folder, "loop"));
      writeFileSync(join(folder, "README.md"), "about");
      const first = await readPolicyFolder(folder);
      assert.deepEqual(first.kind === "read" && first.files, [{ name: "a.cedar", text: permit }]);
      mkdirSync(join(folder, "..data-2"));
      writeFileSync(join(folder, "..data-2", "a.cedar"), permit);
      symlinkSync("..data-2", join(folder, "..tmp"));
      renameSync(join(folder, "..tmp"), join(folder, "..data"));
      assert.notEqual((await readPolicyFolder(folder)).signature, first.signature);
      chmodSync(join(folder, "..data-2", "a.cedar"), 0o600);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
