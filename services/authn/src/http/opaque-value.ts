import { randomBytes } from "node:crypto";

/** 16 random bytes in base64url: a `state`, a cookie, whatever says nothing and is not to be guessed. */
export const newOpaqueValue = (): string => randomBytes(16).toString("base64url");

/** Whether a text can be one: 22 characters, the last of which carries two bits. */
export const isOpaqueValue = (text: string): boolean => /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text);
