import { resolve } from "node:path";
import { z } from "zod";
import { didYouMean } from "./did-you-mean.ts";
import { exactlyOne, httpUrl, network, providerName } from "./fields.ts";
import { type Profile, profileNames, profiles } from "./profiles.ts";
import { issuerClient } from "./sign-in.ts";

/** Asymmetric only: with a shared key whoever verifies could also sign. */
const algorithm = z.enum(["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]);

const path = z.string().min(1).max(200).meta({ description: "A claim's name, or the way to a nested one, such as realm_access.roles" });

/** `{path}` stands for a claim; everything else for itself. */
const template = z
  .string()
  .max(300)
  .regex(/^(?:[^{}\s]|\{[^{}\s]+\})*\{[^{}\s]+\}(?:[^{}\s]|\{[^{}\s]+\})*$/, "must hold at least one {claim}, and no spaces")
  .refine((text) => !/\}\{/.test(text), "must have something between two claims: else where one ends cannot be told");

const subject = z.strictObject({ claim: path.optional(), template: template.optional() }).superRefine(exactlyOne(["claim", "template"]));

const group = z
  .strictObject({
    claim: path.optional(),
    split: z.enum(["comma", "space"]).optional().meta({ description: "The claim is one text that lists names so" }),
    template: template.optional().meta({ description: "A group made of claims; none where one of them is absent" }),
  })
  .superRefine((value, context) => {
    exactlyOne<typeof value>(["claim", "template"])(value, context);
    if (value.split !== undefined && value.claim === undefined)
      context.addIssue({ code: "custom", path: ["split"], message: "belongs to a claim" });
  });

const scalar = z.union([z.string().min(1), z.int(), z.boolean()]);

/** `*`: one or more characters within a segment; `**`: across them. Segments end at `/` and `:`. */
export const pattern = z
  .string()
  .min(1)
  .max(300)
  .refine((text) => /[^*/:]/.test(text), "must not match everything");

const requirement = z.union([scalar, z.array(scalar).min(1), z.strictObject({ like: z.union([pattern, z.array(pattern).min(1)]) })], {
  error: "must be a value, a list of values, or { like: pattern }",
});

export const trustDomain = z.string().regex(/^[a-z0-9._-]{1,255}$/, "must be a SPIFFE trust domain");

/** One OIDC issuer whose tokens authn exchanges, as it is written. */
export const oidcProvider = (folder: string) =>
  z
    .strictObject({
      name: providerName.meta({ description: "The first part of its principals' ids" }),
      profile: z
        .enum(profileNames)
        .optional()
        .meta({ description: "Whose tokens these are: settles what is left out here, and adds checks" }),
      issuer: httpUrl.optional().meta({ description: "Compared exactly with the token's iss; some profiles know it" }),
      trustDomain: trustDomain.optional().meta({ description: "With profile spiffe, instead of issuer" }),
      keys: z
        .string()
        .min(1)
        .transform((text) => (/^https?:/.test(text) ? text : resolve(folder, text)))
        .optional()
        .meta({ description: "The JWK Set: URL or file; left out, by discovery" }),
      audience: z
        .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
        .meta({ description: "Each of the token's aud must be one of these" }),
      clients: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .meta({ description: "The token must be given to one of these: azp, client_id or appid" }),
      algorithms: z.array(algorithm).min(1).optional().meta({ description: "Accepted signature algorithms; all others are refused" }),
      kind: z
        .enum(["person", "service", "pipeline"])
        .optional()
        .meta({ description: "What signs in here; only a person may approve. person unless the profile says otherwise" }),
      subject: subject.optional().meta({ description: "What names the principal: a claim (sub), or a template of claims" }),
      groups: z
        .union([group, z.array(group).min(1)])
        .optional()
        .meta({ description: "Where groups come from" }),
      require: z.record(path, requirement).default({}).meta({ description: "What further claims must say" }),
      owner: z
        .strictObject({
          claim: path,
          provider: providerName.optional().meta({ description: "The trust provider where owners sign in; this one if left out" }),
        })
        .optional()
        .meta({ description: "The claim that names who answers for a service or pipeline" }),
      singleUse: z.boolean().default(false).meta({ description: "Each token is exchanged once" }),
      keySeconds: z
        .int()
        .min(5)
        .max(3600)
        .default(300)
        .meta({ description: "Seconds after which its keys are asked for again: how long a withdrawn key can still work" }),
      signIn: issuerClient(folder),
      network,
    })
    .transform((written, context) => {
      const { profile: name, trustDomain } = written;
      const profile: Profile | undefined = name === undefined ? undefined : profiles[name];
      const say = (at: string, message: string) => context.addIssue({ code: "custom", path: [at], message });
      const spiffe = name === "spiffe";
      if ((trustDomain !== undefined) !== spiffe)
        say("trustDomain", spiffe ? "is missing: which trust domain's workloads sign in here" : "belongs to profile spiffe");
      if (spiffe && (written.issuer !== undefined || written.keys === undefined))
        say("keys", "a SPIFFE trust domain has keys (its bundle: URL or file), and no issuer");
      const issuer = spiffe ? `spiffe://${trustDomain}` : (written.issuer ?? profile?.issuer);
      if (issuer === undefined) say("issuer", "is missing");
      else if (profile?.issuerForm?.test(issuer) === false)
        say("issuer", `is no issuer of profile ${name}; its page says what one looks like`);
      const algorithms = written.algorithms ?? profile?.algorithms;
      if (algorithms === undefined) say("algorithms", "is missing");
      const pinned = [...Object.keys(written.require), ...(written.clients === undefined ? [] : ["clients"])];
      if (profile?.pin !== undefined && !profile.pin.some((claim) => pinned.includes(claim)))
        say(
          "require",
          `anybody can have a token of this issuer: require one of ${profile.pin.join(", ")}${didYouMean(pinned[0] ?? "", profile.pin)}`,
        );
      const groups = written.groups ?? profile?.groups ?? [];
      const owner: { claim: string; provider?: string | undefined } | undefined = written.owner ?? profile?.owner;
      return {
        ...written,
        issuer: issuer ?? "",
        audience: [written.audience].flat(),
        algorithms: [...(algorithms ?? [])],
        kind: written.kind ?? profile?.kind ?? ("person" as const),
        subject: written.subject ?? profile?.subject ?? { claim: "sub" },
        groups: Array.isArray(groups) ? groups : [groups],
        // What the profile requires is not to be written away.
        require: { ...written.require, ...profile?.require },
        owner,
      };
    });

export type OidcProvider = z.output<ReturnType<typeof oidcProvider>>;
