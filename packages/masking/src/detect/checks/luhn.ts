/** Luhn's sum (ISO/IEC 7812-1 annex B) of a text of digits. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let each = 0; each < digits.length; each++) {
    const digit = digits.charCodeAt(digits.length - 1 - each) - 48;
    const counted = each % 2 === 0 ? digit : 2 * digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}
