import { commandLineClient, type SignInFrontConfig } from "@sallyport/service";
import { signInRefused } from "./refusals.ts";

/** Who asked, and where they may be answered. */
export interface Recipient {
  readonly client: string;
  readonly redirectUri: string;
}

/** RFC 8252 §7.3: the command line's own port, whichever it is, at the loopback addresses and by no name (§8.3). */
const loopback = /^http:\/\/(?:127\.0\.0\.1|\[::1\]):([1-9]\d{0,4})\/callback$/;

/** Who may ask for an authorization code. All are public clients: what they get is bound to their key. */
export class Clients {
  readonly #redirects: ReadonlyMap<string, readonly string[]>;

  constructor(configured: SignInFrontConfig["clients"]) {
    this.#redirects = new Map(configured.map(({ id, redirectUris }) => [id, redirectUris]));
  }

  /**
   * Before this nobody is sent anywhere (RFC 6749 §4.1.2.1, RFC 9700 §4.11.2).
   * @throws Refusal INVALID_REQUEST `client`, `redirect-uri`
   */
  recipient(client: string | undefined, redirectUri: string | undefined): Recipient {
    const known = client === commandLineClient || (client !== undefined && this.#redirects.has(client));
    if (!known) throw refused("client", "Who asks for this sign-in is no client of this installation: nobody was sent there.");
    if (redirectUri === undefined || !this.#allows(client as string, redirectUri))
      throw refused("redirect-uri", "The address to go back to is not one of that client: nobody was sent there.");
    return { client: client as string, redirectUri };
  }

  #allows(client: string, redirectUri: string): boolean {
    if (client !== commandLineClient) return this.#redirects.get(client)?.includes(redirectUri) === true;
    const port = loopback.exec(redirectUri)?.[1];
    return port !== undefined && Number(port) <= 65535;
  }
}

const refused = (rule: "client" | "redirect-uri", sentence: string) => signInRefused(rule, sentence, undefined, "INVALID_REQUEST");
