import type { Egress } from "@sallyport/egress";

/** A request as the SDK hands it to its transport. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** The SDK's way out is the guarded dialler: bounded in time and size, no proxy, no redirect, no other address than the configured one. */
export class AwsTransport {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #egress: Egress;
  readonly #timeoutMs: number;

  constructor(egress: Egress, timeoutMs: number) {
    this.#egress = egress;
    this.#timeoutMs = timeoutMs;
  }

  async handle(request: SdkRequest, { abortSignal }: { abortSignal?: AbortSignal } = {}): Promise<{ response: SdkResponse }> {
    const { protocol, hostname, port, path, query, headers, body } = request;
    const url = new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`);
    for (const [name, value] of Object.entries(query ?? {})) for (const one of [value].flat()) url.searchParams.append(name, one ?? "");
    const answer = await this.#egress.fetch(url, {
      method: request.method as "POST",
      headers,
      ...(typeof body === "string" || body instanceof Uint8Array ? { body } : {}),
      timeoutMs: this.#timeoutMs,
      ...(abortSignal === undefined ? {} : { signal: abortSignal }),
    });
    return { response: { statusCode: answer.status, headers: { ...answer.headers }, body: answer.body } };
  }

  destroy(): void {}
  updateHttpClientConfig(): void {}
  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** The body is there as a whole already. */
export const collectBody = async (body: unknown): Promise<Uint8Array> => (body instanceof Uint8Array ? body : new Uint8Array());
