import { z } from "zod";
import { address, formatAddress, pathIn, referenceIn } from "./fields.ts";

const kafka = (folder: string) =>
  z.strictObject({
    brokers: z.array(address.transform(formatAddress)).min(1),
    topic: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,249}$/, "must be a Kafka topic's name")
      .default("sallyport.evidence"),
    tls: z
      .strictObject({ ca: pathIn(folder).optional() })
      .optional()
      .meta({ description: "Given, even empty: connect by TLS" }),
    sasl: z
      .strictObject({
        mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]),
        username: z.string().min(1),
        password: referenceIn(folder),
      })
      .optional(),
    backlogMaxBytes: z
      .int()
      .min(1_048_576)
      .default(4_294_967_296)
      .meta({ description: "Logged and not yet acknowledged by Kafka; at this bound journals are no longer taken in, and fill" }),
  });

/** What becomes of evidence. */
export const evidence = (folder: string) =>
  z
    .strictObject({
      mode: z
        .enum(["journal", "strict"])
        .default("journal")
        .meta({ description: "strict: an effect also waits for Kafka's acknowledgement" }),
      kafka: kafka(folder).optional(),
      journalMaxBytes: z
        .int()
        .min(1_048_576)
        .default(1_073_741_824)
        .meta({ description: "A journal that reaches this refuses new work until its records have left it" }),
    })
    .superRefine((value, context) => {
      if (value.mode === "strict" && value.kafka === undefined) {
        context.addIssue({ code: "custom", path: ["mode"], message: "strict needs evidence.kafka: say which brokers must acknowledge" });
      }
    })
    .prefault({});
