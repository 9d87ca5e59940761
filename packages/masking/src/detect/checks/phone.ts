import metadata from "libphonenumber-js/metadata.min.json";

/** A country's pattern of national numbers, and the possible lengths of one. */
type Country = readonly [code: string, prefix: unknown, pattern: string, lengths: readonly number[], ...unknown[]];

interface Plan {
  readonly number: RegExp;
  readonly lengths: readonly number[];
}

/** Numbering plans by country code; some countries share one. */
const plans = new Map<string, Plan[]>();
for (const countries of [metadata.countries, metadata.nonGeographic] as unknown as Record<string, Country>[])
  for (const [code, , pattern, lengths] of Object.values(countries))
    plans.set(code, [...(plans.get(code) ?? []), { number: new RegExp(`^(?:${pattern})$`), lengths }]);

/** A telephone number of digits with its country code (ITU-T E.164): its length and digits fit a plan of that code, as libphonenumber knows them. */
export function isPhone(digits: string): boolean {
  if (digits.length < 7 || digits.length > 15) return false;
  // No country's code is the beginning of another's (E.164 §6.2.1).
  for (let length = 1; length <= 3; length++) {
    const known = plans.get(digits.slice(0, length));
    const national = digits.slice(length);
    if (known !== undefined) return known.some(({ number, lengths }) => lengths.includes(national.length) && number.test(national));
  }
  return false;
}
