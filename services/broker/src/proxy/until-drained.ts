import type { Writable } from "node:stream";

/** Resolves when there is room again, or nobody is left to write to. */
export function untilDrained(to: Pick<Writable, "on" | "off" | "destroyed">): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      to.off("drain", done).off("close", done);
      resolve();
    };
    to.on("drain", done).on("close", done);
    if (to.destroyed) done();
  });
}
