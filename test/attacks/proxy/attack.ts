import type { Lab } from "./lab.ts";

/** What came back for an attempt. */
export interface Came {
  /** Of HTTP; 0 where nothing like it came. */
  readonly status: number;
  /** `INVALID_REQUEST` and the like, where it was said. */
  readonly reason: string | undefined;
  readonly text: string;
  /** Whether the proxy ended the connection. */
  readonly closed: boolean;
}

/** One way in, tried as an agent's tool with a credential of its own, or as somebody on the network. */
export interface Attack {
  readonly name: string;
  /** The reason with which it is refused; `closed` where the connection ends without a word, as there is nobody to tell. */
  readonly refused: string;
  attempt(lab: Lab): Promise<Came>;
}

/** What looks much like an attack, and must go through. */
export interface Twin {
  readonly name: string;
  attempt(lab: Lab): Promise<Came>;
}

export interface Family {
  readonly name: string;
  readonly attacks: readonly Attack[];
  readonly twins: readonly Twin[];
}

/** Bytes on a connection to the target, in TLS that the proxy ends. */
export const inside = (name: string, refused: string, bytes: (lab: Lab) => string): Attack => ({
  name,
  refused,
  attempt: (lab) => lab.inside(bytes(lab)),
});

export const passes = (name: string, bytes: (lab: Lab) => string): Twin => ({ name, attempt: (lab) => lab.inside(bytes(lab)) });
