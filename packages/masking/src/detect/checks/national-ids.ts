const digit = (text: string, at: number) => text.charCodeAt(at) - 48;
const weighted = (text: string, weights: readonly number[]) => weights.reduce((sum, weight, at) => sum + weight * digit(text, at), 0);

/** US Social Security number: no area 000, 666 or 9xx, no group 00, no serial 0000 (SSA, since 2011), and none of those that were printed in advertisements. */
export const isUsSsn = (text: string): boolean =>
  !/^(?:000|666|9)/.test(text) && text.slice(3, 5) !== "00" && text.slice(5) !== "0000" && !["078051120", "219099999"].includes(text);

/** German tax identification number (§139b AO): of the first ten digits one stands two or three times, never three in a row; ISO 7064 mod 11,10. */
export function isDeSteuerId(text: string): boolean {
  if (text[0] === "0") return false;
  const counts = new Map<string, number>();
  for (const each of text.slice(0, 10)) counts.set(each, (counts.get(each) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || repeated[0]! > 3 || /(\d)\1\1/.test(text.slice(0, 10))) return false;
  let product = 10;
  for (let at = 0; at < 10; at++) {
    const sum = (digit(text, at) + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return (11 - product) % 10 === digit(text, 10);
}

/** Polish PESEL: a date of birth, whose month tells the century, and a weighted sum. */
export function isPlPesel(text: string): boolean {
  const month = Number(text.slice(2, 4)) % 20;
  const day = Number(text.slice(4, 6));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** Dutch citizen service number: the eleven test. */
export const isNlBsn = (text: string): boolean => Number(text) > 0 && weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;

const spanish = "TRWAGMYFPDXBNJZSQVHLCKE";

/** Spanish DNI (eight digits and a letter) or NIE (X, Y or Z, seven digits, a letter): the letter is the number mod 23. */
export const isEsDni = (text: string): boolean =>
  spanish[Number(text.slice(0, 8).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter)))) % 23] === text[8];

/** French NIR: sex, year, month, place (2A and 2B in Corsica), serial, and the key mod 97. */
export function isFrNir(text: string): boolean {
  const month = Number(text.slice(3, 5));
  if (!/^[12378]/.test(text) || !((month >= 1 && month <= 12) || (month >= 20 && month <= 42) || month >= 50)) return false;
  const number = text.slice(0, 13);
  const digits = number.replace("2A", "19").replace("2B", "18");
  return 97 - (Number(digits) % 97) === Number(text.slice(13));
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italian codice fiscale (D.M. 23 December 1976): its shape, with the letters that stand for digits where two people share one, and the check letter. */
export function isItCodiceFiscale(text: string): boolean {
  if (!/^[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]$/.test(text)) return false;
  let sum = 0;
  for (let at = 0; at < 15; at++) {
    const code = text.charCodeAt(at);
    const value = code < 65 ? code - 48 : code - 65;
    sum += at % 2 === 0 ? oddValues[value]! : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}

/** Brazilian CPF: two check digits mod 11; eleven equal digits pass them and are none. */
export function isBrCpf(text: string): boolean {
  if (/^(\d)\1+$/.test(text)) return false;
  const check = (length: number) => {
    let sum = 0;
    for (let at = 0; at < length; at++) sum += digit(text, at) * (length + 1 - at);
    return ((sum * 10) % 11) % 10;
  };
  return check(9) === digit(text, 9) && check(10) === digit(text, 10);
}

/** The dihedral group D5, ten by ten. */
const products = Uint8Array.from({ length: 100 }, (_, at) => {
  const [one, other] = [Math.floor(at / 10), at % 10];
  if (one < 5) return other < 5 ? (one + other) % 5 : 5 + ((one + other) % 5);
  return other < 5 ? 5 + ((one - other + 5) % 5) : (one - other + 5) % 5;
});
const first = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
const permutations = [Array.from({ length: 10 }, (_, at) => at)];
while (permutations.length < 8) permutations.push(permutations.at(-1)!.map((value) => first[value]!));

/** Indian Aadhaar number: it begins with 2 to 9, is no palindrome, and Verhoeff's check digit (in the dihedral group D5). */
export function isInAadhaar(text: string): boolean {
  if (text < "2") return false;
  let sum = 0;
  for (let each = 0; each < text.length; each++) sum = products[10 * sum + permutations[each % 8]![digit(text, text.length - 1 - each)]!]!;
  return sum === 0 && [...text].toReversed().join("") !== text;
}
