/** Causes below causes that are written. */
const maxDepth = 5;

/** An error as it is logged. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly reason?: string;
  readonly stack?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/**
 * An error for the log: what it is, what it says and where it arose. Its other properties stay out: parsers attach what they could
 * not read, and that may hold a secret (undici's HTTPParserError has the answer in `data`). For the same reason nothing is
 * written of what a SyntaxError says, as `JSON.parse` quotes its input there.
 */
export function loggedError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === "object" && error !== null ? "an object that is no error" : error;
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  const deeper = depth < maxDepth;
  return {
    type: error.name,
    message: error instanceof SyntaxError ? "not to be parsed" : error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(frames === undefined || frames.length === 0 ? {} : { stack: frames.join("\n") }),
    ...(error.cause === undefined || !deeper ? {} : { cause: loggedError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && deeper ? { errors: error.errors.slice(0, 10).map((one) => loggedError(one, depth + 1)) } : {}),
  } satisfies LoggedError;
}
