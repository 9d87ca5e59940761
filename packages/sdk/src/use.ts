import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BrokerService,
  Refusal,
  type UseEnd,
  type UseHead,
  type UseRequestSchema,
  type UseResponse,
  type UseUploadRequestSchema,
} from "@sallyport/contracts";
import type { CallOptions, Client } from "@sallyport/service/client";
import { effectOf } from "./unreachable.ts";

/** The operation for which a secret is to be used. */
export interface UseOperation {
  readonly target: string;
  /** May be left out where the target has exactly one. */
  readonly secret?: string | undefined;
  /** Upper case; `GET` unless said. */
  readonly method?: string | undefined;
  /** Below the target's base URL, with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Up to what the target's configuration allows; 64 MiB unless it says otherwise. */
  readonly body?: Uint8Array | string | undefined;
}

export interface UseOptions extends UseOperation {
  /** From an `APPROVAL_REQUIRED` refusal, once it was granted. */
  readonly accessRequestId?: string | undefined;
  /** Cancels the call, to the target. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole call. */
  readonly timeoutMs?: number | undefined;
}

/** The target's answer, masked. Read the body, once, or `discard()` it. */
export interface UseResult {
  readonly status: number;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** This use in evidence. */
  readonly eventUid: string;
  /** Throws a Refusal where the answer is cut: `CREDENTIAL_REVOKED`, or `OUTCOME_UNKNOWN` where it broke off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as UTF-8. */
  text(): Promise<string>;
  /** Gives the rest of the answer up, which cancels the call to the target. */
  discard(): Promise<void>;
  /** How many values were replaced; known once the body was read. */
  readonly maskedValues: () => number;
  /** Masked; known once the body was read. */
  readonly trailers: () => readonly { readonly name: string; readonly value: string }[];
}

/** Bytes up to which a body travels in one message; the broker takes no more there. */
const maxInlineBytes = 1024 * 1024;
const pieceBytes = 256 * 1024;

/** The message for an operation. @param body what to put in it */
export const useRequest = (operation: UseOperation & { accessRequestId?: string | undefined }, body = bodyOf(operation)) =>
  ({
    target: operation.target,
    secret: operation.secret ?? "",
    accessRequestId: operation.accessRequestId ?? "",
    operation: {
      case: "http",
      value: {
        method: operation.method ?? "GET",
        path: operation.path,
        headers: Object.entries(operation.headers ?? {}).map(([name, value]) => ({ name, value })),
        body,
      },
    },
  }) satisfies MessageInitShape<typeof UseRequestSchema>;

/** Has the broker use a secret. Never tried again by itself: a use may not be idempotent. */
export async function useSecret(broker: Pick<Client<typeof BrokerService>, "use" | "useUpload">, options: UseOptions): Promise<UseResult> {
  const parts = partsOf(broker, options)[Symbol.asyncIterator]();
  const first = await nextOf(parts);
  if (first?.part.case !== "head") {
    await parts.return?.();
    throw first === undefined ? brokeOff() : new Refusal("INTERNAL", "The answer does not begin with its head.");
  }
  return resultOf(first.part.value, parts);
}

function partsOf(broker: Pick<Client<typeof BrokerService>, "use" | "useUpload">, options: UseOptions): AsyncIterable<UseResponse> {
  const callOptions: CallOptions = {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  };
  const body = bodyOf(options);
  return body.length <= maxInlineBytes
    ? broker.use(useRequest(options, body), callOptions)
    : responsesOf(broker.useUpload(upload(options, body), callOptions));
}

const bodyOf = ({ body = new Uint8Array() }: UseOperation): Uint8Array => (typeof body === "string" ? Buffer.from(body) : body);

async function* upload(options: UseOptions, body: Uint8Array): AsyncIterable<MessageInitShape<typeof UseUploadRequestSchema>> {
  const sha256 = createHash("sha256").update(body).digest();
  const use = useRequest(options, new Uint8Array());
  yield { part: { case: "head", value: { use, size: BigInt(body.length), sha256 } } };
  for (let at = 0; at < body.length; at += pieceBytes) yield { part: { case: "data", value: body.subarray(at, at + pieceBytes) } };
}

async function* responsesOf(uploads: ReturnType<Client<typeof BrokerService>["useUpload"]>): AsyncIterable<UseResponse> {
  for await (const { response } of uploads) if (response !== undefined) yield response;
}

function resultOf(head: UseHead, parts: AsyncIterator<UseResponse>): UseResult {
  let end: UseEnd | undefined;
  const body = (async function* () {
    try {
      for (let next = await nextOf(parts); next !== undefined; next = await nextOf(parts)) {
        if (next.part.case === "data") yield next.part.value;
        if (next.part.case === "end") end = next.part.value;
      }
    } finally {
      await parts.return?.();
    }
    if (end === undefined) throw brokeOff();
  })();
  return {
    status: head.status,
    headers: head.headers,
    eventUid: head.eventUid,
    body,
    text: async () => {
      const pieces: Uint8Array[] = [];
      for await (const piece of body) pieces.push(piece);
      return Buffer.concat(pieces).toString("utf8");
    },
    discard: async () => {
      // A generator that was never begun runs no `finally`, so the call is ended here as well.
      await body.return(undefined);
      await parts.return?.();
    },
    maskedValues: () => Number(end?.maskedValues ?? 0n),
    trailers: () => end?.trailers ?? [],
  };
}

async function nextOf(parts: AsyncIterator<UseResponse>): Promise<UseResponse | undefined> {
  try {
    const next = await parts.next();
    return next.done ? undefined : next.value;
  } catch (error) {
    throw effectOf(error);
  }
}

const brokeOff = () =>
  new Refusal("OUTCOME_UNKNOWN", "The answer broke off; the effect may have happened. Look before you try again.", {
    metadata: { effect: "unknown" },
  });
