import assert from "node:assert/strict";
import { type Finder, isSkipped, type Server } from "./servers/server.ts";

// biome-ignore lint/suspicious/noExplicitAny: a finder's options are its own affair
type AnyFinder = Finder<any, any>;
type Found<F> = F extends Finder<infer S, never> | Finder<infer S, infer _> ? S : never;
type Accessors<F extends Record<string, AnyFinder>> = { [name in keyof F]: () => Found<F[name]> };

const startTimeoutMs = 120_000;

/**
 * `describe` for tests that need real servers, started before and stopped after them. Where one cannot be had the tests
 * are pending and the suite's title says why and how to get it; with `SALLYPORT_REQUIRE_SERVERS=1` they fail instead.
 */
export function describeWith<F extends Record<string, AnyFinder>>(title: string, finders: F, body: (servers: Accessors<F>) => void): void {
  const reasons = Object.values(finders)
    .flatMap((finder) => finder.missing() ?? [])
    .filter((reason, i, all) => all.indexOf(reason) === i);
  const servers = new Map<string, Server>();
  const accessors = Object.fromEntries(Object.keys(finders).map((name) => [name, () => servers.get(name)])) as unknown as Accessors<F>;
  if (reasons.length > 0 && process.env.SALLYPORT_REQUIRE_SERVERS === "1") {
    describe(title, () => it("has the servers that it needs", () => assert.fail(reasons.join("; "))));
    return;
  }
  if (reasons.length > 0) {
    describe.skip(`${title} [skipped: ${reasons.join("; ")}]`, () => body(accessors));
    return;
  }
  describe(title, () => {
    before("starting servers", async function () {
      this.timeout(startTimeoutMs);
      for (const [name, finder] of Object.entries(finders)) {
        const found = await finder();
        if (isSkipped(found)) assert.fail(found.skipped);
        servers.set(name, found);
      }
    });
    after("stopping servers", async function () {
      this.timeout(startTimeoutMs);
      for (const server of servers.values()) await server.stop();
    });
    body(accessors);
  });
}

/** A finder with its options settled. */
export function withOptions<S extends Server, O>(finder: Finder<S, O>, options: O): Finder<S> {
  return Object.assign(() => finder(options), { missing: finder.missing });
}
