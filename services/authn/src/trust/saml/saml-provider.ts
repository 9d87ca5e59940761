/** A SAML 2.0 identity provider that people may sign in at; configured once, and nothing about it is taken from a response. */
export interface SamlProvider {
  /** First part of every id that comes from here: `<name>/<subject>`. */
  readonly name: string;
  /** What this service is called there: the audience of its assertions. */
  readonly entityId: string;
  /** Where responses are sent (Assertion Consumer Service): compared exactly with `Destination` and `Recipient`. */
  readonly acs: string;
  /** The identity provider's entity id: compared exactly with every `Issuer`. */
  readonly idp: string;
  /** Whether a sign-in may be begun here. */
  readonly spInitiated: boolean;
  /** Whether the identity provider may send somebody unasked. */
  readonly idpInitiated: boolean;
  /** What becomes the subject of the principal's id: the NameID, in this one format, or the only value of an attribute. */
  readonly subject: { readonly nameIdFormat: string } | { readonly attribute: string };
  /** The attribute that lists groups, each kept as `<name>/<group>`. */
  readonly groups?: string | undefined;
  /** Whether an assertion in the clear is refused. */
  readonly encryptedOnly: boolean;
  /** With which encrypted assertions are read. */
  readonly decryption?: KeyAndCertificate | undefined;
  /** With which requests are signed. */
  readonly signing?: KeyAndCertificate | undefined;
  /** Seconds that clocks may differ, either way. */
  readonly skewSeconds: number;
}

/** Both PEM. */
export interface KeyAndCertificate {
  readonly key: string;
  readonly certificate: string;
}
