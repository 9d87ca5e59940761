import { isFillableHeader, templateProblem } from "@sallyport/guardrails";
import { z } from "zod";
import { targetDataMasking } from "./data-masking.ts";
import { exactlyOne, httpMethod, httpUrl, network, pathIn, resourceName } from "./fields.ts";
import { inject } from "./inject.ts";
import { bodyPointer, headerName, parameterName } from "./inject-fields.ts";
import { rules } from "./rules.ts";
import { via } from "./via.ts";

const path = z.string().superRefine((text, context) => {
  const problem = templateProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const operation = z.strictObject({
  method: httpMethod("WEBSOCKET").meta({ description: "Such as GET; WEBSOCKET for opening a WebSocket" }),
  path: path.meta({ description: "Such as /v1/orders/{id}; {name+} at the end stands for the rest" }),
});

const baseUrl = httpUrl.refine(
  (text) => !URL.canParse(text) || !/^\.|\.\.|^\.?$/.test(new URL(text).hostname),
  "must name a host, such as https://orders.internal",
);

const place = z
  .strictObject({
    header: headerName.refine(isFillableHeader, "must not be a header that frames, routes or traces the request").optional(),
    query: parameterName.optional(),
    body: bodyPointer.optional(),
  })
  .superRefine(exactlyOne(["header", "query", "body"]));

const httpTarget = (folder: string) =>
  z
    .strictObject({
      kind: z.literal("http"),
      baseUrl: baseUrl.meta({ description: "Scheme, host and port that every call goes to, with an optional path in front" }),
      secret: resourceName,
      inject: inject(folder)
        .optional()
        .meta({ description: "How the broker puts the secret in; left out where only placeholders are filled in" }),
      placeholders: z
        .array(place)
        .min(1)
        .optional()
        .meta({ description: "Where an agent may write [sallyport:<secret>#<field>] for the broker to fill in" }),
      allow: z.array(operation).min(1).meta({ description: "What may be called; all else is refused" }),
      rules: rules.optional().meta({ description: "What else a request must or must not be" }),
      dataMasking: targetDataMasking
        .optional()
        .meta({ description: "What is hidden of its answers beside secrets, and what no request may hold" }),
      network,
      ca: pathIn(folder).optional(),
      via: via(folder).optional(),
      maxBodyBytes: z
        .int()
        .min(1024)
        .max(1_073_741_824)
        .default(67_108_864)
        .meta({ description: "Of a request's and of an answer's body" }),
      timeoutSeconds: z.number().min(0.1).max(600).default(30),
    })
    .superRefine(({ inject: injection, placeholders, baseUrl: url, allow, rules: judged, dataMasking }, context) => {
      const webSockets = allow.findIndex(({ method }) => method === "WEBSOCKET");
      if (webSockets >= 0 && judged !== undefined)
        context.addIssue({
          code: "custom",
          path: ["allow", webSockets, "method"],
          message: "must not be WEBSOCKET beside rules: they judge no messages; make it a target of its own, at the same baseUrl",
        });
      if (webSockets >= 0 && dataMasking !== undefined)
        context.addIssue({
          code: "custom",
          path: ["allow", webSockets, "method"],
          message: "must not be WEBSOCKET beside dataMasking: it looks at no messages; make it a target of its own, at the same baseUrl",
        });
      if (injection === undefined && placeholders === undefined)
        context.addIssue({ code: "custom", message: "must have inject or placeholders: say how the secret gets into a request" });
      const clientCertificate = injection?.clientCertificate;
      if (clientCertificate !== undefined && !url.toLowerCase().startsWith("https:"))
        context.addIssue({ code: "custom", path: ["baseUrl"], message: "must be https: a client certificate is shown by TLS only" });
    });

/** Where secrets may be used, by name. */
export const targets = (folder: string) => z.record(resourceName, z.discriminatedUnion("kind", [httpTarget(folder)])).default({});

export type HttpTarget = z.output<ReturnType<typeof httpTarget>>;
