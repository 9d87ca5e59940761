import { type RevealBinding, revealAad, revealInfo } from "@sallyport/contracts";

/** Loaded with the first reveal: most installations permit none. */
async function suite() {
  const { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } = await import("hpke");
  return new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
}

/** X25519 public keys that lead to a shared secret which everybody knows (RFC 7748 §6.1) are refused by the key agreement itself. */
export const recipientKeyBytes = 32;

export interface Sealed {
  readonly encapsulatedKey: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** One value for one reader (RFC 9180 §6.1, base mode). @throws where `recipientKey` is no key */
export async function sealFor(recipientKey: Uint8Array, value: Uint8Array, binding: RevealBinding): Promise<Sealed> {
  const cipher = await suite();
  const key = await cipher.DeserializePublicKey(Uint8Array.from(recipientKey));
  const { encapsulatedSecret, ciphertext } = await cipher.Seal(key, value, { info: revealInfo, aad: revealAad(binding) });
  return { encapsulatedKey: encapsulatedSecret, ciphertext };
}
