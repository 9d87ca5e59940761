import type { Inject } from "@sallyport/service";
import { type Fields, fieldOf, fieldText, unusable } from "./field-text.ts";

/** A header's value as far as RFC 9110 §5.5 lets it go. */
const headerValue = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/;
const place = "this header";

/** RFC 6750 §2.1. */
export const bearer = (field: string, fields: Fields): string => `Bearer ${fieldText(fields, field, /^[\x21-\x7e]+$/, place)}`;

export const plain = (field: string, fields: Fields): string => fieldText(fields, field, headerValue, place);

/** RFC 7617 §2: neither part holds a control character, the user name no colon; both are UTF-8 or what was stored. */
export function basic(settings: NonNullable<Inject["basic"]>, fields: Fields): string {
  return `Basic ${basicPair(settings, fields).toString("base64")}`;
}

/** `user:password` as it is before it is encoded. */
export function basicPair({ user, userField, password }: NonNullable<Inject["basic"]>, fields: Fields): Buffer {
  const name = userField === undefined ? Buffer.from(user as string) : fieldOf(fields, userField);
  const word = fieldOf(fields, password);
  if (userField !== undefined && (name.length === 0 || name.includes(":") || hasControl(name)))
    throw unusable(userField, "is empty, or holds a colon or a control character, which no user name may");
  if (word.length === 0 || hasControl(word)) throw unusable(password, "is empty or holds a control character, which no password may");
  return Buffer.concat([name, Buffer.from(":"), word]);
}

const hasControl = (bytes: Buffer) => bytes.some((byte) => byte < 0x20 || byte === 0x7f);
