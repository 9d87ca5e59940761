import { lookup } from "node:dns/promises";

/** The addresses of a name, as literals. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** As the machine resolves names, its hosts file included. */
export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
