import { hostname } from "node:os";
import { NonceMint, ProofKeys, type ProofMemory, ReplayStore } from "@sallyport/identity";
import type { Clock } from "../clock.ts";

/** What a process keeps about proofs: those that came with a credential, and those that came without. */
export interface ProofMemories {
  readonly held: ProofMemory;
  /** For calls that anyone may make with a key made on the spot: filling this shuts no one out of the others. */
  readonly bare: ProofMemory;
}

const memories = new WeakMap<Clock, ProofMemories>();

/**
 * The process's memory of proofs; of its services all share it, as an agent that calls two of them at one address has one
 * nonce for both. It goes with the process's clock, of which there is one: nonces are counted in its time.
 */
export function proofMemories(clock: Clock): ProofMemories {
  let known = memories.get(clock);
  if (known === undefined) {
    const shared = { keys: new ProofKeys(), nonces: new NonceMint({ replica: `${hostname()}/${process.pid}` }) };
    known = { held: { ...shared, replays: new ReplayStore() }, bare: { ...shared, replays: new ReplayStore(100_000) } };
    memories.set(clock, known);
  }
  return known;
}
