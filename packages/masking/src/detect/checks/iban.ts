import { countrySpecs, isValidIBAN } from "ibantools";

/** Characters of an IBAN by country, of those in the registry (ISO 13616). */
const lengths = new Map<string, number>();
for (const [country, { chars, IBANRegistry: registered }] of Object.entries(countrySpecs))
  if (registered === true && typeof chars === "number") lengths.set(country, chars);

/** Characters of an IBAN of this country, or undefined where the registry has none. */
export const ibanLength = (country: string): number | undefined => lengths.get(country);

/** An IBAN in capitals without spaces: check digits (ISO 7064, mod 97-10), its country's length and format, and that country's own check digits. */
export function isIban(iban: string): boolean {
  let rest = 0;
  for (let each = 0; each < iban.length; each++) {
    const code = iban.charCodeAt((each + 4) % iban.length);
    const value = code < 65 ? code - 48 : code - 55;
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1 && lengths.get(iban.slice(0, 2)) === iban.length && isValidIBAN(iban);
}
