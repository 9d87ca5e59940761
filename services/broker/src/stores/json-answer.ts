/** The JSON object that a service answered with; the bytes are zeroed. What is not one goes nowhere, not even into an error: it could hold a value. */
export function jsonAnswer(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  } finally {
    body.fill(0);
  }
}
