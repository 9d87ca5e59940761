import { InvalidArgumentError } from "commander";

/** Reads an option's whole seconds within bounds. */
export const seconds =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give whole seconds from ${min} to ${max}.`);
  };
