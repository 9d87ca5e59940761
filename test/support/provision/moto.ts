import { type Provision, run } from "./cache.ts";

const version = "5.2.5";

/** `moto`, an emulator of AWS that others maintain, with what it needs to serve: Python modules, for PYTHONPATH. */
export const motoModules: Provision = {
  name: `moto-${version}`,
  needs: ["python3"],
  async fill(folder) {
    await run("python3", ["-m", "pip", "install", "--quiet", "--target", folder, `moto==${version}`, "flask==3.1.3", "flask-cors==6.0.5"]);
  },
};
