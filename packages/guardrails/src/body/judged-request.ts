import { Uninspectable } from "../uninspectable.ts";

/** A request in the one form that is judged and sent. */
export interface JudgedRequest {
  readonly method: string;
  /** Canonical, below the target's base URL. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** Lower-case names, each once. */
  readonly headers: readonly (readonly [string, string])[];
  /** `streamed`: it comes in pieces and cannot be looked at before it is sent. */
  readonly body: Uint8Array | "streamed";
}

/** Bytes of a body that are looked at, at most. */
export const maxInspectedBytes = 1024 * 1024;

export const headerOf = ({ headers }: JudgedRequest, name: string): string | undefined => headers.find(([other]) => other === name)?.[1];

export const hasBody = ({ body }: JudgedRequest): boolean => body === "streamed" || body.length > 0;

/** The body's bytes, which are all there, plain and few enough. @throws Uninspectable */
export function bodyOf(request: JudgedRequest): Uint8Array {
  if (request.body === "streamed") throw new Uninspectable("has a body that comes in pieces; send it inline, at most 1 MiB");
  if (request.body.length > maxInspectedBytes) throw new Uninspectable(`has a body of more than ${maxInspectedBytes} bytes`);
  const coding = headerOf(request, "content-encoding")?.trim().toLowerCase() ?? "identity";
  if (coding !== "identity") throw new Uninspectable("has a body that is compressed");
  return request.body;
}
