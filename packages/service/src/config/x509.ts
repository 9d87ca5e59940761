import { z } from "zod";
import { exactlyOne, pathIn, providerName } from "./fields.ts";
import { pattern, trustDomain } from "./oidc.ts";

/** Authorities whose certificates name workloads. */
export const x509Provider = (folder: string) =>
  z
    .strictObject({
      name: providerName.meta({ description: "The first part of its principals' ids" }),
      bundle: pathIn(folder).meta({ description: "The authorities' certificates, PEM; read again when the file changes" }),
      trustDomain: trustDomain.optional().meta({ description: "X509-SVIDs of this SPIFFE trust domain" }),
      subject: z.enum(["uri", "dns"]).optional().meta({ description: "Or: the kind of name that names the workload" }),
      allow: z.array(pattern).min(1).optional().meta({ description: "Patterns of the names that may sign in" }),
      kind: z.enum(["service", "pipeline"]).default("service"),
    })
    .superRefine(exactlyOne(["trustDomain", "subject"]));

export type X509ProviderConfig = z.output<ReturnType<typeof x509Provider>>;
