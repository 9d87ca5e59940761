import { once } from "node:events";
import { printable } from "@sallyport/contracts";
import type { UseResult } from "@sallyport/sdk";
import { safeForTerminal, safeJson } from "../../output/escaped.ts";
import { note, result } from "../../output/print.ts";

/** Prints a target's masked answer: the body as it comes, or all of it as JSON. */
export async function printAnswer(answer: UseResult, form: "body" | "json"): Promise<void> {
  if (form === "json") return asJson(answer);
  note(`${answer.status}  (evidence ${answer.eventUid})`);
  for (const { name, value } of answer.headers) note(`${printable(name)}: ${printable(value, 1000)}`);
  const decoder = process.stdout.isTTY ? new TextDecoder() : undefined;
  for await (const piece of answer.body)
    await write(decoder === undefined ? piece : safeForTerminal(decoder.decode(piece, { stream: true })));
  if (decoder !== undefined) await write(`${safeForTerminal(decoder.decode())}\n`);
  for (const { name, value } of answer.trailers()) note(`${printable(name)}: ${printable(value, 1000)}`);
  note(`${answer.maskedValues()} masked`);
}

async function asJson(answer: UseResult): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const text = bytes.toString("utf8");
  const { status, headers, eventUid } = answer;
  const body = Buffer.from(text, "utf8").equals(bytes) ? { body: text } : { bodyBase64: bytes.toString("base64") };
  result(safeJson({ status, headers, ...body, trailers: answer.trailers(), maskedValues: answer.maskedValues(), eventUid }));
}

/** No faster than the reader takes it; one that went away is the end of the printing. */
async function write(piece: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}
