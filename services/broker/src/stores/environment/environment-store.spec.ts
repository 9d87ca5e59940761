import assert from "node:assert/strict";
import { conformance } from "../conformance.ts";
import { EnvironmentStore } from "./environment-store.ts";

describe("the environment as a store", () => {
  let env: NodeJS.ProcessEnv = {};
  const open = () => new EnvironmentStore("env", { prefix: "DEV_" }, { versionKey: Buffer.alloc(32, 7) }, env);
  beforeEach(() => {
    env = {};
  });

  conformance(async () => ({ store: open(), path: "ORDERS" }), {
    keepsVersions: false,
    checksAndSets: false,
    takesWrites: false,
    tellsTime: false,
    seed: async (path, fields) => {
      env[`DEV_${path}`] = JSON.stringify(Object.fromEntries([...fields].map(([field, value]) => [field, value.toString()])));
    },
  });

  it("has a text that is no JSON object as the field `value`", async () => {
    for (const text of ["canary-4711", '["a"]', '{"cut', "{}x"]) {
      env.DEV_ORDERS = text;
      assert.deepEqual([...(await open().read("ORDERS")).fields].map(String), [`value,${text}`]);
    }
  });

  it("gives nothing that does not have its prefix", async () => {
    env.PATH = "/bin";
    env.OTHER = "canary-4711";
    for (const path of ["PATH", "OTHER", "../OTHER", "", "__proto__", "toString"])
      await assert.rejects(open().read(path), /has no such value/);
  });
});
