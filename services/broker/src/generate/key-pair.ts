import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import type { Made } from "./generator.ts";

const generate = promisify(generateKeyPair) as (type: string, options: object) => Promise<{ publicKey: KeyObject; privateKey: KeyObject }>;

const kinds = {
  ed25519: ["ed25519", {}],
  p256: ["ec", { namedCurve: "P-256" }],
  rsa3072: ["rsa", { modulusLength: 3072 }],
} as const;

/** The private key as PKCS #8 in PEM (RFC 7468 §10), the public one as SubjectPublicKeyInfo in PEM (§13). */
export async function makeKeyPair(algorithm: keyof typeof kinds): Promise<Made> {
  const [type, options] = kinds[algorithm];
  const { publicKey, privateKey } = await generate(type, options);
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const body = (der.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  der.fill(0);
  return {
    value: Buffer.from(`-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`, "latin1"),
    publicKey: publicKey.export({ type: "spki", format: "pem" }) as string,
  };
}
