import { printable, Refusal } from "@sallyport/contracts";
import { type Dispatcher, errors } from "undici";

export interface FetchInit {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Bound for everything, connecting and redirects included. Default 10 000. */
  readonly timeoutMs?: number;
  /** Bound for the answer's body. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Redirects to follow, for GET and HEAD. Default 0: a redirect is the answer. */
  readonly redirects?: number;
  readonly signal?: AbortSignal;
}

export interface Fetched {
  readonly status: number;
  /** Lower-case names; of a repeated header all values, joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** As sent: not decoded. */
  readonly body: Buffer;
}

/**
 * One HTTP exchange, bounded in time and size. Each redirect goes through the dispatcher's own checks, never from https to
 * http, and takes no header but `accept` and `user-agent` to another origin (RFC 9110 §15.4).
 *
 * @throws Refusal DESTINATION_NOT_ALLOWED for a scheme other than http(s), a user name in the URL, a forbidden redirect, and by the dispatcher
 * @throws Refusal TARGET_UNAVAILABLE for no answer, a broken one, or one over the bound
 */
export async function fetchBounded(dispatcher: Dispatcher, url: URL | string, init: FetchInit = {}): Promise<Fetched> {
  const timeoutMs = init.timeoutMs ?? 10_000;
  const late = AbortSignal.timeout(timeoutMs);
  const signal = init.signal === undefined ? late : AbortSignal.any([init.signal, late]);
  let at = checkedUrl(url);
  let headers = init.headers ?? {};
  const method = init.method ?? "GET";
  try {
    for (let left = method === "GET" || method === "HEAD" ? (init.redirects ?? 0) : 0; ; left--) {
      const answer = await exchange(dispatcher, at, { ...init, method, headers }, signal);
      const location = answer.headers.location;
      if (left <= 0 || ![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
      const next = checkedUrl(location, at);
      if (at.protocol === "https:" && next.protocol === "http:")
        throw notAllowed(`${printable(at.host)} redirects from https to http, which is not followed.`);
      if (next.origin !== at.origin)
        headers = Object.fromEntries(Object.entries(headers).filter(([name]) => /^(accept|user-agent)$/i.test(name)));
      at = next;
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (init.signal?.aborted) throw init.signal.reason;
    if (late.aborted)
      throw unavailable(`${printable(at.host)} gave no whole answer within ${timeoutMs / 1000} s; check whether it runs.`, error);
    throw unavailable(`${printable(at.host)} broke off or gave an answer that is not HTTP; check whether it runs.`, error);
  }
}

async function exchange(dispatcher: Dispatcher, url: URL, init: FetchInit & { method: string }, signal: AbortSignal): Promise<Fetched> {
  const answer = await dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: init.method as Dispatcher.HttpMethod,
    headers: { ...init.headers },
    ...(init.body === undefined ? {} : { body: init.body }),
    signal,
  });
  const max = init.maxBodyBytes ?? 1024 * 1024;
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer.body as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > max)
      throw unavailable(
        `${printable(url.host)} gave an answer longer than ${max} bytes; it cannot be the right one.`,
        new errors.ResponseExceededMaxSizeError(),
      );
    pieces.push(piece);
  }
  const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, [value].flat().join(", ")] as const],
  );
  return { status: answer.statusCode, headers: Object.fromEntries(headers), body: Buffer.concat(pieces) };
}

function checkedUrl(url: URL | string, base?: URL): URL {
  const text = String(url);
  if (!URL.canParse(text, base)) throw notAllowed("What should be fetched is no URL; check the address.");
  const parsed = new URL(text, base);
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    throw notAllowed(`Only http and https are fetched, not ${printable(parsed.protocol, 20)}`);
  if (parsed.username !== "" || parsed.password !== "")
    throw notAllowed("An address with a user name or password in it is not fetched; take them out.");
  return parsed;
}

const notAllowed = (sentence: string) => new Refusal("DESTINATION_NOT_ALLOWED", sentence);
const unavailable = (sentence: string, cause: unknown) => new Refusal("TARGET_UNAVAILABLE", sentence, { cause, retryAfterMs: 1000 });
