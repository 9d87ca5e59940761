/** A message's headers line by line, in order; lower-case names. */
export type HeaderLines = readonly (readonly [string, string])[];

/** The connection's own (RFC 9110 §7.6.1, RFC 9113 §8.2.2). */
export const ofTheConnection: ReadonlySet<string> = new Set([
  ...["connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate", "te", "trailer", "transfer-encoding"],
  ...["upgrade", "http2-settings"],
]);

/** Headers as undici and node:http hand them out. */
export const linesOf = (headers: Record<string, string | string[] | undefined>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name.toLowerCase(), one]));

export const valuesOf = (headers: HeaderLines, wanted: string): string[] =>
  headers.filter(([name]) => name === wanted).map(([, value]) => value);

/** Members of a list; lines of one name are one list (RFC 9110 §5.3). */
export const listOf = (headers: HeaderLines, wanted: string): string[] =>
  valuesOf(headers, wanted).flatMap((value) => value.split(",").map((one) => one.trim()));

/** What `Connection` names: lower-case names of headers that are the connection's own too. */
export const namedByConnection = (headers: HeaderLines): ReadonlySet<string> =>
  new Set(listOf(headers, "connection").map((name) => name.toLowerCase()));

/** Without the connection's own headers, those that it names, and what an answer says to a proxy alone (RFC 9110 §11.7.3). */
export function endToEnd(headers: HeaderLines): [string, string][] {
  const named = namedByConnection(headers);
  return headers
    .filter(([name]) => !ofTheConnection.has(name) && name !== "proxy-authentication-info" && !named.has(name))
    .map(([name, value]) => [name, value]);
}
