import { z } from "zod";
import { fail, pathIn, referenceIn } from "./fields.ts";

const address = z.string().transform((text, context) => {
  const [, scheme, host, port] = /^(https?|socks5):\/\/(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})\/?$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    return fail(context, "must be http, https or socks5 with host and port, such as http://proxy.internal:3128, and no user name");
  return { scheme: scheme as "http" | "https" | "socks5", host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
});

/** A proxy of the network's own, between the broker and where it sends. */
export const via = (folder: string) =>
  z
    .strictObject({
      proxy: address.meta({ description: "http://, https:// or socks5:// with host and port" }),
      ca: pathIn(folder).optional().meta({ description: "PEM: who may be an https proxy; the system's if left out" }),
      username: referenceIn(folder).optional(),
      password: referenceIn(folder).optional(),
    })
    .superRefine(({ proxy, ca, username, password }, context) => {
      if ((username === undefined) !== (password === undefined))
        context.addIssue({ code: "custom", message: "must have both a user name and a password, or neither" });
      if (ca !== undefined && proxy.scheme !== "https")
        context.addIssue({ code: "custom", path: ["ca"], message: "is for an https proxy: there is no TLS to this one" });
    })
    .meta({ description: "A proxy of your network's that connections go through; it resolves names" });

export type Via = z.output<ReturnType<typeof via>>;
