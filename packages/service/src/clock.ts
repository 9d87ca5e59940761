/** Where time comes from, so that a test can move it. */
export interface Clock {
  /** Epoch milliseconds: for what is written down or compared with other machines. */
  now(): number;
  /** Milliseconds since some fixed moment, never going back: for leases and time limits. */
  monotonic(): number;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
