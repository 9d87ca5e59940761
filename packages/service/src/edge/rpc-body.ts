import type { DescMethod } from "@bufbuild/protobuf";
import { Refusal } from "@sallyport/contracts";
import { decode } from "../grpc/message-bytes.ts";
import { checkJsonMessage } from "./json-message.ts";

/** How a content type carries messages; others have no business here. `enveloped`: 5 bytes of flags and length come first. */
const contentTypes: Readonly<Record<string, { json: boolean; enveloped: boolean }>> = {
  "application/json": { json: true, enveloped: false },
  "application/proto": { json: false, enveloped: false },
  "application/connect+json": { json: true, enveloped: true },
  "application/connect+proto": { json: false, enveloped: true },
  "application/grpc-web": { json: false, enveloped: true },
  "application/grpc-web+proto": { json: false, enveloped: true },
  "application/grpc-web+json": { json: true, enveloped: true },
};

/**
 * The bytes of the one message that a Connect or gRPC-Web request carries: what a proof's `rqh` covers.
 *
 * @throws Refusal INVALID_REQUEST
 */
export function rpcMessage(method: DescMethod, contentType: string | undefined, body: Buffer): Buffer {
  const kind = contentTypes[(contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? ""];
  if (kind === undefined) {
    throw new Refusal(
      "INVALID_REQUEST",
      "Send content-type application/json or application/proto, or use gRPC-Web or the Connect protocol's streams.",
    );
  }
  const message = kind.enveloped ? unwrap(body) : body;
  // Parsed here as well as by the Connect library, whose own errors carry no reason.
  if (kind.json) checkJsonMessage(message, method.input);
  else decode(method.input, message);
  return message;
}

function unwrap(body: Buffer): Buffer {
  const valid = body.length >= 5 && body[0] === 0 && body.readUInt32BE(1) === body.length - 5;
  if (!valid) throw new Refusal("INVALID_REQUEST", "The body must be exactly one uncompressed message in its envelope.");
  return body.subarray(5);
}
