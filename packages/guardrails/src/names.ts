/**
 * The name as the most lenient of common readers knows it: without case, compatibility forms (Unicode NFKC), what stands in
 * brackets after it, and with `-`, `.` and space as `_` (PHP, Rails and header-to-variable gateways read names so).
 */
export const looseName = (name: string): string =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/^[\s\0]+/u, "")
    .replace(/[[\0].*$/su, "")
    .replace(/[-. ]/gu, "_");

/** Whether some reader could take `one` for `other`. */
export const couldBe = (one: string, other: string): boolean => one === other || looseName(one) === looseName(other);
