import { Refusal } from "@sallyport/contracts";

/** Where a Redis is and how to sign in to it. */
export interface RedisAddress {
  host: string;
  port: number;
  tls: boolean;
  database: number;
  username?: string;
  password?: string;
}

/** @throws Refusal INVALID_REQUEST, without the url in it, as that may hold a password */
export function parseRedisAddress(url: string): RedisAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const database = /^\/?(\d{0,4})$/.exec(parsed?.pathname ?? "?")?.[1];
  if (parsed === undefined || parsed.hostname === "" || database === undefined || parsed.search !== "" || parsed.hash !== "") {
    throw new Refusal(
      "INVALID_REQUEST",
      "The address of the Redis cannot be read; write it as redis://[user:password@]host[:port][/database].",
    );
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    tls: parsed.protocol === "rediss:",
    database: Number(database),
    ...(parsed.username === "" ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === "" ? {} : { password: decodeURIComponent(parsed.password) }),
  };
}
