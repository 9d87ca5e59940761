import { z } from "zod";
import { fail, network } from "./fields.ts";
import { via } from "./via.ts";

/** A destination that carries no secret: a host, or every name below one, and a port. */
export interface PassedDestination {
  readonly host: string;
  /** Whether names below `host` are meant, and not `host` itself. */
  readonly below: boolean;
  readonly port: number;
}

const destination = z
  .string()
  .transform((text, context): PassedDestination => {
    const match = /^(\*\.)?((?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?|\[[0-9a-f:.]+\]):(\d{1,5})$/.exec(
      text,
    );
    const port = Number(match?.[3]);
    if (match?.[2] === undefined || port < 1 || port > 65_535 || (match[1] !== undefined && /^(\[|[0-9.]+$)/.test(match[2])))
      return fail(context, "must be host:port or *.domain:port, in lower case, such as registry.npmjs.org:443");
    return { host: match[2], below: match[1] !== undefined, port };
  })
  .meta({ description: "host:port, or *.domain:port for every name below a domain" });

/** The forward proxy and the reverse path, for tools that cannot make proofs. Left out: that door stays shut. */
export const proxy = (folder: string) =>
  z
    .strictObject({
      pass: z
        .array(destination)
        .default([])
        .meta({ description: "Destinations beside the targets that tools may reach, without a secret and unread; all others are blocked" }),
      via: via(folder).optional(),
      network: network.meta({ description: "Ranges beyond public addresses that passed destinations may have" }),
    })
    .optional()
    .meta({ description: "Given, even empty: opens listen.proxy, the forward proxy and reverse path of `sallyport run`" });

export type ProxySettings = NonNullable<z.output<ReturnType<typeof proxy>>>;
