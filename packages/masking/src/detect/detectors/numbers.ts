import { isCard } from "../checks/card.ts";
import * as ids from "../checks/national-ids.ts";

/** A number that is written in groups. */
export interface NumberDetector {
  readonly category: string;
  /** The ways to write it: the groups' lengths, and what may stand between them (the same everywhere); "" for one group alone. */
  readonly forms: readonly Form[];
  /** @param digits without separators */
  readonly check: (digits: string) => boolean;
}

export interface Form {
  readonly groups: readonly number[];
  /** What stands between the groups: one of these, the same each time. Or, for each place, what stands there. */
  readonly between: string | readonly string[];
  /** Words of which one must stand shortly before, where the form alone says too little. */
  readonly near?: RegExp;
}

const one = (length: number, near?: RegExp): Form => ({ groups: [length], between: "", ...(near === undefined ? {} : { near }) });
const inGroups = (groups: readonly number[], between: string | readonly string[] = " -", near?: RegExp): Form => ({
  groups,
  between,
  ...(near === undefined ? {} : { near }),
});

const ssn = /ssn|social.?sec|soc.?sec/;
const steuer = /steuer|idnr|tax.?id|\btin\b/;

/** Numbers of digits only. A form that many other numbers have too counts only near a word that says what it is. */
export const numbers: readonly NumberDetector[] = [
  {
    category: "card",
    forms: [
      ...[14, 15, 16, 17, 18, 19].map((length) => one(length)),
      inGroups([4, 4, 4, 4]),
      inGroups([4, 4, 4, 4, 3]),
      inGroups([4, 6, 5]),
      inGroups([4, 6, 4]),
    ],
    check: isCard,
  },
  { category: "us-ssn", forms: [inGroups([3, 2, 4], "-"), inGroups([3, 2, 4], " ", ssn), one(9, ssn)], check: ids.isUsSsn },
  { category: "de-steuer-id", forms: [inGroups([2, 3, 3, 3], " "), one(11, steuer)], check: ids.isDeSteuerId },
  { category: "pl-pesel", forms: [one(11, /pesel/)], check: ids.isPlPesel },
  {
    category: "nl-bsn",
    forms: [one(9, /\bbsn|burgerservice|sofi/), inGroups([4, 2, 3], ".", /\bbsn|burgerservice|sofi/)],
    check: ids.isNlBsn,
  },
  {
    category: "fr-nir",
    forms: [one(15), inGroups([1, 2, 2, 2, 3, 3, 2], " "), inGroups([13, 2], " ")],
    check: ids.isFrNir,
  },
  { category: "br-cpf", forms: [inGroups([3, 3, 3, 2], [".", ".", "-"]), one(11, /cpf/)], check: ids.isBrCpf },
  {
    category: "in-aadhaar",
    forms: [inGroups([4, 4, 4], " -", /aadha|uidai|\buid\b/), one(12, /aadha|uidai|\buid\b/)],
    check: ids.isInAadhaar,
  },
];
