import { randomBytes } from "node:crypto";

/** A new session's id: 128 random bits, base64url. */
export const newSessionId = (): string => randomBytes(16).toString("base64url");
