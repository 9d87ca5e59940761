import { type DescMessage, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { Refusal } from "@sallyport/contracts";

/** Messages cross grpc-js as bytes, so that their hash and their errors are ours. */
export const asBytes = (bytes: Buffer): Buffer => bytes;

/** A copy in memory of its own: a small message that is kept must not hold the whole slab of Node's pool that it was read into. */
export function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

export function encode(schema: DescMessage, message: Message): Buffer {
  const bytes = toBinary(schema, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws Refusal INVALID_REQUEST where the bytes are no such message */
export function decode(schema: DescMessage, bytes: Uint8Array): Message {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    throw new Refusal("INVALID_REQUEST", `The message is not a valid ${schema.typeName}; send it as the published contract says.`, {
      cause,
    });
  }
}
