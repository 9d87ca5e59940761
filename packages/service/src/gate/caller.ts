import type { Ceiling, Chain, Credential } from "@sallyport/identity";

/** Who calls: a credential that was verified and is not revoked, shown by the holder of its key. */
export interface Caller {
  readonly credential: Credential;
  readonly chain: Chain;
  readonly ceiling: Ceiling;
  /** The session of the actor that calls. */
  readonly sid: string;
  /** The session of the principal: names the whole tree. */
  readonly rootSid: string;
  /** Of the key or certificate that the credential is bound to: `jkt` or `x5t#S256`. */
  readonly thumbprint: string;
  readonly binding: "dpop" | "mtls";
}

/** Who asks for the next credential of a session. Their present one may have expired, and may be dead for being wider than it now may be. */
export interface RenewingCaller extends Caller {
  /**
   * RFC 7638 thumbprint of the key that the call was proven with; undefined where the client certificate was the proof. Whether
   * it is the session's key is for the session's record to say.
   */
  readonly key: string | undefined;
}
