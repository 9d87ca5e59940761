const utf8 = new TextEncoder();

/** HPKE's `info` (RFC 9180 §5.1) of every sealed value: it is opened as nothing else. */
export const revealInfo: Uint8Array = utf8.encode("sallyport.broker.v1 Reveal");

export interface RevealBinding {
  readonly secret: string;
  readonly version: string;
  readonly field: string;
  /** The session of the agent that it was sealed for. */
  readonly sessionId: string;
}

/** The additional data that a value is sealed with: exchanged with another field's, version's or session's it does not open. */
export const revealAad = ({ secret, version, field, sessionId }: RevealBinding): Uint8Array =>
  utf8.encode(JSON.stringify([secret, version, field, sessionId]));
