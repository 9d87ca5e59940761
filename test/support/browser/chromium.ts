import { type Browser, chromium } from "playwright-core";
import { chromiumFile } from "./chromium-file.ts";

/** It speaks to nobody but this machine, and to its keeper by a pipe that ends it when the test's process ends. */
const flags = [
  ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"],
  ["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
].flat();

export function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumFile(), args: flags, headless: true, timeout: 90_000 });
}
