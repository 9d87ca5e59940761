/** A token that was fetched for a secret. */
export interface Minted {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly mintedAt: number;
  readonly goodUntil: number;
  /** The refresh token that is good from now on, where the old one was replaced. */
  readonly refreshToken?: string | undefined;
}

/** Fetches a token; `previous` is the last one, whose refresh token may have replaced the secret's own. */
export type Mint = (previous: Minted | undefined) => Promise<Minted>;
