import { z } from "zod";
import { httpUrl, network, pathIn } from "./fields.ts";
import { openbaoAuth } from "./stores.ts";

/** Where the key that signs credentials is, other than in authn's key file: OpenBao's transit engine, which never gives it away. */
export const signingKey = (folder: string) =>
  z
    .strictObject({
      openbao: z.strictObject({
        address: httpUrl.meta({ description: "Its URL" }),
        namespace: z.string().min(1).optional(),
        mount: z
          .string()
          .regex(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/, "must be segments of letters, digits, _ or -")
          .default("transit")
          .meta({ description: "Where the transit engine is mounted" }),
        key: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be letters, digits, _ or -")
          .meta({ description: "The name of a key of the type ecdsa-p256" }),
        signsAfterSeconds: z
          .int()
          .min(2)
          .max(86_400)
          .default(120)
          .meta({ description: "How long a new version of the key is published before it signs" }),
        auth: openbaoAuth(folder),
        ca: pathIn(folder).optional().meta({ description: "PEM certificates to trust instead of the system's" }),
        network,
      }),
    })
    .optional()
    .meta({ description: "Where the key that signs credentials is; left out, in authn's key file" });

export type TransitKey = NonNullable<z.output<ReturnType<typeof signingKey>>>["openbao"];
