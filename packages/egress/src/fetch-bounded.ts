import { Refusal } from "@sallyport/contracts";
import { type Dispatcher, request } from "undici";

export interface Fetched {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

export interface FetchOptions {
  readonly method?: "GET" | "POST" | "PUT" | "LIST";
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** Milliseconds for the whole exchange; 5,000 unless said. */
  readonly timeoutMs?: number;
  /** The largest answer that is read, bytes; 1 MiB unless said. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** One bounded exchange through a guarded dispatcher; redirects are answers, not followed. @throws Refusal TARGET_UNAVAILABLE, DESTINATION_NOT_ALLOWED */
export async function fetchBounded(dispatcher: Dispatcher, url: string | URL, options: FetchOptions = {}): Promise<Fetched> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const maxBytes = options.maxBytes ?? 1024 * 1024;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await request(url, {
      dispatcher,
      method: (options.method ?? "GET") as Dispatcher.HttpMethod,
      headers: options.headers ?? {},
      ...(options.body === undefined ? {} : { body: options.body }),
      signal: options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of answer.body) {
      size += (piece as Buffer).length;
      if (size > maxBytes) {
        answer.body.destroy();
        throw new Refusal("TARGET_UNAVAILABLE", `The answer of ${new URL(url).host} is larger than ${maxBytes} bytes.`);
      }
      pieces.push(piece as Buffer);
    }
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("TARGET_UNAVAILABLE", `${new URL(url).host} did not answer in time, or broke off.`, { cause: error });
  }
}
