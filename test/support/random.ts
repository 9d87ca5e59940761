/** Numbers from 0 up to 1, the same for the same seed (mulberry32): what was found can be drawn again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whole numbers from 0 up to `below`, the same for the same seed. */
export function randomFrom(seed: number): (below: number) => number {
  const random = seeded(seed);
  return (below) => Math.floor(random() * below);
}

/** All of them in a random order. */
export function shuffled<T>(all: readonly T[], random: () => number): T[] {
  const left = [...all];
  return Array.from({ length: all.length }, () => left.splice(Math.floor(random() * left.length), 1)[0] as T);
}
