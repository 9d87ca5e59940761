import { resolve } from "node:path";
import { z } from "zod";
import { exactlyOne, httpUrl, network, pathIn, providerName, referenceIn } from "./fields.ts";

const persistent = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

const isLoopback = ({ hostname }: URL) => ["127.0.0.1", "[::1]", "localhost"].includes(hostname);
const isSecure = (text: string) => new URL(text).protocol === "https:" || isLoopback(new URL(text));

/** A URL stays one; anything else is a file. */
const metadataIn = (folder: string) =>
  z
    .string()
    .min(1)
    .refine(
      (text) => !/^https?:/.test(text) || (URL.canParse(text) && isSecure(text)),
      "must be an https URL (http to this machine only) or a file",
    )
    .transform((text) => (/^https?:/.test(text) ? text : resolve(folder, text)));

const subject = z
  .strictObject({
    nameIdFormat: z
      .string()
      .regex(/^urn:[^\s]+$/, "must be the URN of a NameID format")
      .refine((format) => !format.endsWith(":transient"), "must not be transient: such a name changes with every sign-in")
      .optional()
      .meta({ description: "The NameID, in this format and no other" }),
    attribute: z.string().min(1).optional().meta({ description: "Or an attribute, which must have one value" }),
  })
  .superRefine(exactlyOne(["nameIdFormat", "attribute"]));

const keyPair = (folder: string) =>
  z.strictObject({ key: referenceIn(folder).meta({ description: "RSA key, PEM" }), certificate: pathIn(folder) });

/** One SAML 2.0 identity provider, for people. */
export const samlProvider = (folder: string) =>
  z
    .strictObject({
      name: providerName.meta({ description: "The first part of its principals' ids" }),
      metadata: metadataIn(folder).meta({ description: "The identity provider's metadata: https URL, or file" }),
      metadataSeconds: z
        .int()
        .min(5)
        .max(86_400)
        .default(300)
        .meta({ description: "Seconds after which they are read again: how long a withdrawn certificate can still work" }),
      idp: z.string().min(1).max(1024).meta({ description: "The identity provider's entity id, compared exactly" }),
      entityId: z.string().min(1).max(1024).meta({ description: "What Sallyport is called there: the audience of its assertions" }),
      acs: httpUrl.meta({
        description: "Where responses are sent, as the person's browser reaches authn's HTTP edge: https://HOST/saml/NAME/acs",
      }),
      spInitiated: z.boolean().default(false).meta({ description: "A sign-in may begin here: sallyport login --saml" }),
      idpInitiated: z.boolean().default(false).meta({ description: "The identity provider may send somebody unasked" }),
      subject: subject.default({ nameIdFormat: persistent }).meta({ description: "What names the principal" }),
      groups: z
        .strictObject({ attribute: z.string().min(1) })
        .optional()
        .meta({ description: "The attribute that lists groups" }),
      encryptedOnly: z.boolean().default(false).meta({ description: "Refuse assertions in the clear; needs decryption" }),
      decryption: keyPair(folder).optional().meta({ description: "With which encrypted assertions are read" }),
      signing: keyPair(folder).optional().meta({ description: "With which requests are signed" }),
      network,
    })
    .superRefine(({ name, acs, spInitiated, idpInitiated, encryptedOnly, decryption }, context) => {
      const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
      if (!new URL(acs).pathname.endsWith(`/saml/${name}/acs`) || !isSecure(acs)) say("acs", `must be https and end in /saml/${name}/acs`);
      if (!spInitiated && !idpInitiated) say("spInitiated", "nobody can sign in here: switch on spInitiated, idpInitiated or both");
      if (encryptedOnly && decryption === undefined) say("decryption", "is missing: encryptedOnly needs a key to decrypt with");
    });

export type SamlProviderConfig = z.output<ReturnType<typeof samlProvider>>;
