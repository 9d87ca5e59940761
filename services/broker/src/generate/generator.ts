import { BytesEncoding, type GeneratedValue, KeyAlgorithm, Refusal } from "@sallyport/contracts";
import { makeKeyPair } from "./key-pair.ts";
import { randomEncoded } from "./random-bytes.ts";
import { letters, randomText } from "./random-text.ts";

/** A value that the broker made up: stored, and zeroed after. */
export interface Made {
  readonly value: Buffer;
  /** Of a key pair: SubjectPublicKeyInfo in PEM. */
  readonly publicKey?: string;
}

export type Generator = () => Promise<Made>;

const least = 16;
const most = 1024;
/** Fewer could be guessed by whoever has a fingerprint and time. */
const leastBits = 80;

/**
 * How to make what a request asks for. Nothing is made yet, so that a wrong one is refused before anything is decided upon.
 * @throws Refusal INVALID_REQUEST for what is not asked for exactly, or could be guessed
 */
export function generatorFor(field: string, { kind }: GeneratedValue): Generator {
  const refuse = (what: string): never => {
    throw new Refusal("INVALID_REQUEST", `Field "${field}" cannot be generated: ${what}.`);
  };
  const sized = (length: number, what: string) => {
    const wanted = length === 0 ? 32 : length;
    return wanted >= least && wanted <= most ? wanted : refuse(`${what} must be ${least} to ${most}`);
  };
  switch (kind.case) {
    case "text": {
      const length = sized(kind.value.length, "its length");
      const alphabet = kind.value.alphabet === "" ? letters : kind.value.alphabet;
      if (!/^[\x21-\x7e]{2,94}$/.test(alphabet) || new Set(alphabet).size !== alphabet.length)
        refuse("its alphabet must be 2 to 94 different printable ASCII characters without the space");
      if (length * Math.log2(alphabet.length) < leastBits) refuse(`it would have less than ${leastBits} bits; make it longer`);
      return async () => ({ value: randomText(length, alphabet) });
    }
    case "bytes": {
      const length = sized(kind.value.length, "its bytes");
      const encoding = encodings[kind.value.encoding] ?? refuse("name its encoding: base64url, base64 or hex");
      return async () => ({ value: randomEncoded(length, encoding) });
    }
    case "keyPair": {
      const algorithm = algorithms[kind.value.algorithm] ?? refuse("name its algorithm: Ed25519, P-256 or RSA of 3072 bits");
      return () => makeKeyPair(algorithm);
    }
    default:
      return refuse("say of what kind it is: text, bytes or a key pair");
  }
}

const encodings: Readonly<Partial<Record<BytesEncoding, "base64url" | "base64" | "hex">>> = {
  [BytesEncoding.BASE64URL]: "base64url",
  [BytesEncoding.BASE64]: "base64",
  [BytesEncoding.HEX]: "hex",
};

const algorithms: Readonly<Partial<Record<KeyAlgorithm, "ed25519" | "p256" | "rsa3072">>> = {
  [KeyAlgorithm.ED25519]: "ed25519",
  [KeyAlgorithm.P256]: "p256",
  [KeyAlgorithm.RSA_3072]: "rsa3072",
};
