import { Refusal } from "@sallyport/contracts";
import { orAborted } from "@sallyport/egress";
import { type MaskSet, maskerFor, maskHeaderValue, maskStream } from "@sallyport/masking";
import type { AnswerData } from "../data-masking/answer-data.ts";
import { CleanTexts } from "../masks/clean-texts.ts";
import type { UsedSet } from "../masks/held-set.ts";
import { type HeaderLines, valuesOf } from "../targets/header-lines.ts";
import { type HttpAnswer, type Operation, protocolHeader, type WebSocketEnds } from "../targets/operation.ts";
import { messageBound } from "../targets/web-socket.ts";
import { converse } from "./conversation.ts";
import { inspectedBody } from "./packed/packed-body.ts";
import { decodedBody } from "./response-body.ts";
import type { Traffic } from "./traffic.ts";

/** What the agent gets back, in order: one head, data, one end. */
export type UsePart =
  | { kind: "head"; status: number; headers: [string, string][]; eventUid: string }
  | { kind: "data"; bytes: Uint8Array }
  | { kind: "end"; trailers: [string, string][]; maskedValues: number };

const headerTexts = new CleanTexts(maskHeaderValue);

const cleaned = (headers: HeaderLines, masks: MaskSet) =>
  headers.map(([name, value]): [string, string] => [headerTexts.mask(masks, name), headerTexts.mask(masks, value)]);

/** Hands the answer on, masked: headers, body as it comes. @returns its end, with the trailers */
export async function* relay(
  answer: HttpAnswer,
  masks: MaskSet,
  eventUid: string,
  signal: AbortSignal,
  traffic: Traffic,
  data?: AnswerData,
): AsyncGenerator<UsePart, UsePart> {
  let maskedValues = 0;
  const masked = (headers: HeaderLines) => {
    const clean = cleaned(headers, masks);
    maskedValues += clean.filter(([, value], at) => value !== headers[at]?.[1]).length;
    return data === undefined ? clean : data.headers(clean);
  };
  try {
    const contentType = onlyOne(answer.headers, "content-type");
    // Lines of one name are one list (RFC 9110 §5.3).
    const contentEncoding = valuesOf(answer.headers, "content-encoding").join(",");
    yield {
      kind: "head",
      status: answer.status,
      headers: masked(answer.headers.filter(([name]) => !ofTheOriginalBody.has(name))),
      eventUid,
    };
    const masker = maskerFor(masks, contentType);
    const values = maskStream(masker, inspectedBody(decodedBody(answer.body, contentEncoding), masks));
    for await (const bytes of data === undefined ? values : data.body(values, contentType)) {
      signal.throwIfAborted();
      traffic.returned(bytes);
      yield { kind: "data", bytes };
    }
    signal.throwIfAborted();
    return { kind: "end", trailers: masked(answer.trailers()), maskedValues: maskedValues + masker.count + (data?.count ?? 0) };
  } finally {
    answer.discard();
  }
}

/** Two that differ would be read differently here and by the agent. */
function onlyOne(headers: HeaderLines, wanted: string): string | undefined {
  const [first, ...others] = new Set(valuesOf(headers, wanted));
  if (others.length === 0) return first;
  throw new Refusal(
    "RESPONSE_UNINSPECTABLE",
    `The target's answer has two different ${wanted} headers; it was not passed on. The effect has happened.`,
  );
}

/** The target has opened a WebSocket: so has the tool's side, once it was told; then they talk. @returns its end */
export async function* opened(
  answer: HttpAnswer,
  ends: WebSocketEnds,
  masks: Pick<UsedSet, "set" | "secrets">,
  { operation, eventUid, signal, traffic }: { operation: Operation; eventUid: string; signal: AbortSignal; traffic: Traffic },
): AsyncGenerator<UsePart, UsePart> {
  const target = answer.webSocket as NonNullable<HttpAnswer["webSocket"]>;
  try {
    // One of those that the tool offered.
    const protocol: [string, string][] = target.protocol === "" ? [] : [[protocolHeader, target.protocol]];
    yield { kind: "head", status: answer.status, headers: [...cleaned(answer.headers, masks.set), ...protocol], eventUid };
    const tool = await orAborted(ends.accepted, signal);
    const maskedValues = await converse({
      target,
      tool,
      name: operation.target,
      masks: masks.set,
      secrets: masks.secrets,
      traffic,
      maxBytes: messageBound(operation.config?.maxBodyBytes ?? 0),
      signal,
    });
    return { kind: "end", trailers: [], maskedValues };
  } finally {
    answer.discard();
  }
}

/** Headers that describe the body as the target sent it: packed and unmasked. */
const ofTheOriginalBody = new Set([
  "content-encoding",
  "content-length",
  "content-md5",
  "content-digest",
  "repr-digest",
  "digest",
  "etag",
  "accept-ranges",
  "content-range",
]);
