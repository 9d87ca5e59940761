import { CompactEncrypt, compactDecrypt } from "jose";

/** One version of one secret. */
export interface StoredVersion {
  readonly version: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Field to value, base64. */
  readonly fields: Readonly<Record<string, string>>;
}

/** All that the file holds: versions by path, oldest first. */
export type Contents = ReadonlyMap<string, readonly StoredVersion[]>;

/** JWE compact serialisation (RFC 7516 §3.1), `dir` with A256GCM: one ciphertext, so that no part can be moved, dropped or exchanged alone. */
export async function seal(contents: Contents, key: Uint8Array): Promise<string> {
  const plaintext = Buffer.from(JSON.stringify(Object.fromEntries(contents)));
  try {
    return await new CompactEncrypt(plaintext).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
  } finally {
    plaintext.fill(0);
  }
}

/** @throws Error where the key is another's, the text was altered, or what is inside is not ours */
export async function unseal(text: string, key: Uint8Array): Promise<Contents> {
  const { plaintext } = await compactDecrypt(text.trim(), key, {
    keyManagementAlgorithms: ["dir"],
    contentEncryptionAlgorithms: ["A256GCM"],
  });
  try {
    const value: unknown = JSON.parse(Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength).toString("utf8"));
    if (typeof value !== "object" || value === null || !Object.values(value).every(isVersions)) throw new Error("not a file store");
    return new Map(Object.entries(value));
  } catch {
    // A parser's error quotes what it read.
    throw new Error("the file store's contents are not what this version writes");
  } finally {
    plaintext.fill(0);
  }
}

const isVersions = (value: unknown): value is StoredVersion[] => Array.isArray(value) && value.every(isVersion);

function isVersion(value: unknown): value is StoredVersion {
  const { version, createdAt, fields } = (value ?? {}) as Partial<StoredVersion>;
  return (
    Number.isInteger(version) &&
    typeof createdAt === "number" &&
    typeof fields === "object" &&
    fields !== null &&
    Object.values(fields).every((field) => typeof field === "string")
  );
}
