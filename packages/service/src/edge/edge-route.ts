/** A plain HTTP request to the edge, read in full. */
export interface EdgeRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower case; a name sent twice was refused. */
  readonly headers: ReadonlyMap<string, string>;
  /** At most 4 MiB. */
  readonly body: Uint8Array;
  /** The socket's remote address and port: `<address>:<port>`. */
  readonly address: string;
  readonly signal: AbortSignal;
}

export interface EdgeResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
