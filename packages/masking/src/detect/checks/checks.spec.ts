import assert from "node:assert/strict";
import fc from "fast-check";
import { isValidIBAN } from "ibantools";
import examples from "libphonenumber-js/examples.mobile.json";
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from "libphonenumber-js/min";
import { stdnum } from "stdnum";
import { isCard } from "./card.ts";
import { isIban } from "./iban.ts";
import * as ids from "./national-ids.ts";
import { isPhone } from "./phone.ts";

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((all) => all.join(""));
const letter = (letters: string) => fc.constantFrom(...letters);

/** Each check, another library's for the same number, and texts of the shape that a detector asks about. */
const checks: Record<string, [check: (text: string) => boolean, oracle: (text: string) => boolean, texts: fc.Arbitrary<string>]> = {
  "US SSN": [ids.isUsSsn, (text) => stdnum.US!.ssn!.validate(text).isValid, digits(9).filter((text) => !text.endsWith("0000"))],
  "DE Steuer-ID": [
    ids.isDeSteuerId,
    (text) => stdnum.DE!.idnr!.validate(text).isValid,
    fc
      .tuple(
        letter("123456789"),
        fc.shuffledSubarray([..."0123456789"], { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
      )
      .map(([a, some, c, d]) => `${a}${some.join("")}${c}${d}`)
      .filter((text) => new Set(text.slice(0, 10)).size < 10),
  ],
  "NL BSN": [ids.isNlBsn, (text) => stdnum.NL!.bsn!.validate(text).isValid, digits(9)],
  "ES DNI": [
    ids.isEsDni,
    (text) => stdnum.ES!.dni!.validate(text).isValid,
    fc.tuple(digits(8), letter("TRWAGMYFPDXBNJZSQVHLCKE")).map((all) => all.join("")),
  ],
  "ES NIE": [
    ids.isEsDni,
    (text) => stdnum.ES!.nie!.validate(text).isValid,
    fc.tuple(letter("XYZ"), digits(7), letter("TRWAGMYFPDXBNJZSQVHLCKE")).map((all) => all.join("")),
  ],
  "BR CPF": [ids.isBrCpf, (text) => stdnum.BR!.cpf!.validate(text).isValid, digits(11)],
  "IN Aadhaar": [
    ids.isInAadhaar,
    (text) => stdnum.IN!.aadhaar!.validate(text).isValid,
    fc.tuple(letter("23456789"), digits(11)).map((all) => all.join("")),
  ],
  IBAN: [
    isIban,
    (text) => isValidIBAN(text),
    fc.tuple(fc.constantFrom("DE", "NO", "XX"), fc.constantFrom(13, 20).chain(digits)).map((all) => all.join("")),
  ],
};

describe("a check of numbers", () => {
  for (const [name, [check, oracle, texts]] of Object.entries(checks))
    it(`agrees with another library's about each ${name}`, () => {
      fc.assert(
        fc.property(texts, (text) => {
          assert.equal(check(text), oracle(text), text);
        }),
        { numRuns: 1000 },
      );
    });

  it("takes for a phone number what libphonenumber does, each of its examples, and little else", () => {
    const texts = fc.tuple(
      fc.constantFrom("1", "44", "49", "48", "31", "34", "33", "55", "91", "7", "999"),
      fc.integer({ min: 6, max: 11 }).chain(digits),
    );
    // libphonenumber forgives what one dials only at home: +1 1…, +7 8….
    const isOne = (code: string, number: string) => {
      const parsed = parsePhoneNumberFromString(`+${code}${number}`);
      return parsed?.isValid() === true && parsed.number === `+${code}${number}`;
    };
    fc.assert(
      fc.property(texts, ([code, number]) => number.startsWith("0") || isPhone(code + number) || !isOne(code, number)),
      { numRuns: 1000 },
    );
    for (const country of getCountries()) {
      const example = getExampleNumber(country, examples)?.number.slice(1);
      if (example !== undefined) assert.ok(isPhone(example), `${country} ${example}`);
    }
    for (const none of ["0301234567", "999123456789", "1123456789", "12", "4912", "1700000000000"]) assert.ok(!isPhone(none), none);
  });

  it("knows published examples, and no neighbour of theirs", () => {
    const published: [(text: string) => boolean, string[]][] = [
      // Payment processors' pages of test numbers.
      [
        isCard,
        [
          "4111111111111111",
          "4242424242424242",
          "5555555555554444",
          "2223003122003222",
          "378282246310005",
          "6011111111111117",
          "3056930009020004",
          "36227206271667",
          "3566002020360505",
          "6200000000000005",
        ],
      ],
      // SWIFT's IBAN registry.
      [
        isIban,
        [
          "AL47212110090000000235698741",
          "AD1200012030200359100100",
          "AT611904300234573201",
          "BE68539007547034",
          "BR1800360305000010009795493C1",
          "CH9300762011623852957",
          "DE89370400440532013000",
          "FR1420041010050500013M02606",
          "GB29NWBK60161331926819",
          "IT60X0542811101000000123456",
          "MT84MALT011000012345MTLCAST001S",
          "NL91ABNA0417164300",
          "NO9386011117947",
          "PL61109010140000071219812874",
          "SA0380000000608010167519",
        ],
      ],
      [ids.isDeSteuerId, ["86095742719", "47036892816", "65929970489", "57549285017"]],
      [ids.isPlPesel, ["44051401359", "02070803628"]],
      [ids.isNlBsn, ["111222333", "123456782"]],
      [ids.isEsDni, ["12345678Z", "X1234567L", "54362315K"]],
      [ids.isFrNir, ["255081416802538", "295109912611193", "253072B07300470", "253072A07300443"]],
      [ids.isItCodiceFiscale, ["RCCMNL83S18D969H", "MRTMTT91D08F205J", "RSSMRA85T10A562S"]],
      [ids.isBrCpf, ["39053344705", "11144477735"]],
      [ids.isInAadhaar, ["234123412346", "999941057058"]],
    ];
    for (const [check, texts] of published)
      for (const text of texts) {
        assert.ok(check(text), text);
        const at = text.search(/\d(?=\D*$)/);
        const neighbour = `${text.slice(0, at)}${(Number(text[at]) + 1) % 10}${text.slice(at + 1)}`;
        assert.ok(!check(neighbour), neighbour);
      }
  });
});
