import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { html, type SignInPage, signInPage } from "@sallyport/identity";

const path = "/callback";

/**
 * A port of this machine's own where the browser comes back to (RFC 8252 §7.3). It answers to its address only, so that no
 * name can be pointed at it, and takes nothing but what carries the state of the sign-in that it was opened for: any page
 * that a browser shows, and any program here, can send it requests.
 */
export class LoopbackRedirect {
  readonly #server: Server;
  /** The address to come back to. */
  readonly uri: string;

  private constructor(server: Server) {
    this.#server = server;
    this.uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  }

  static async open(): Promise<LoopbackRedirect> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    return new LoopbackRedirect(server);
  }

  /** The address that the browser comes back to, with the issuer's answer. @param signal ends the wait, with its reason */
  response(state: string, signal: AbortSignal): Promise<URL> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#server.on("request", (request, response) => {
        const url = this.#callback(request);
        if (url === undefined) return answer(response, 404, nothingHere);
        const states = url.searchParams.getAll("state");
        if (states.length !== 1 || states[0] !== state) return answer(response, 400, notThisSignIn);
        answer(response, 200, url.searchParams.has("error") ? notSignedIn : signedIn);
        resolve(url);
      });
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #callback({ method, url = "", headers }: IncomingMessage): URL | undefined {
    const own = new URL(this.uri);
    if (method !== "GET" || headers.host !== own.host) return undefined;
    const asked = URL.parse(url, own);
    return asked?.origin === own.origin && asked.pathname === path ? asked : undefined;
  }
}

function answer(response: ServerResponse, status: number, page: SignInPage): void {
  const { headers, body } = signInPage(page);
  response.writeHead(status, { ...headers, connection: "close" }).end(body);
}

const refused = (title: string, sentence: string): SignInPage => ({ title, tone: "refused", content: html`<p>${sentence}</p>` });

const nothingHere = refused("Nothing here", "There is nothing here.");
const notThisSignIn = refused("Not this sign-in", "This is not the sign-in that was begun here.");
const notSignedIn = refused("Nobody was signed in", "Go back to your terminal: it says why. This window can be closed.");
const signedIn: SignInPage = {
  title: "Go back to your terminal",
  tone: "done",
  content: html`<p>It says whether you are signed in. This window can be closed.</p>`,
};
