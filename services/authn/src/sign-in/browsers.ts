import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { sha256 } from "@sallyport/identity";
import type { EdgeRequest } from "@sallyport/service";
import { isOpaqueValue, newOpaqueValue } from "../http/opaque-value.ts";
import { signInRefused } from "./refusals.ts";

/** By its prefix nobody but this very host can have set it, and only over TLS (RFC 6265bis §4.1.3.2). */
const cookieName = "__Host-sallyport-sign-in";

/** Seconds that a browser has from page to page. */
const cookieSeconds = 900;

/** A browser that is signing somebody in. */
export interface Browser {
  /** Hash of its cookie: what the state knows it by. */
  readonly id: string;
  /** For each page that it is shown. */
  readonly setCookie: string;
  /** Goes into a form, which counts in this browser and for what it is about, alone. */
  formToken(about: string): string;
}

/**
 * Binds the steps of a sign-in to one browser, so that nobody can have another person's browser finish what they began, or the
 * other way round (RFC 6749 §10.12, RFC 9700 §4.7). The cookie says nothing about who the person is.
 */
export class Browsers {
  readonly #key: Uint8Array;
  readonly #origin: string;

  /** @param origin of the pages @param secret what only authn holds */
  constructor(origin: string, secret: Uint8Array) {
    this.#origin = origin;
    this.#key = new Uint8Array(hkdfSync("sha256", secret, "", "sallyport authn sign-in forms", 32));
  }

  /** The browser that asks for a page; a new one where it has no cookie of ours. */
  of(request: EdgeRequest): Browser {
    return this.#browser(cookieOf(request) ?? newOpaqueValue());
  }

  /** The browser that was here before. @throws Refusal UNAUTHENTICATED `other-browser` */
  known(request: EdgeRequest): Browser {
    const cookie = cookieOf(request);
    if (cookie === undefined) throw otherBrowser();
    return this.#browser(cookie);
  }

  /**
   * The browser that sends one of our forms: with its cookie, from our page (`Origin`, RFC 6454 §7), with the token of that page.
   * @throws Refusal UNAUTHENTICATED `other-browser`, `other-page`
   */
  sending(request: EdgeRequest, about: string, token: string | undefined): Browser {
    const browser = this.known(request);
    const shown = Buffer.from(token ?? "");
    const expected = Buffer.from(browser.formToken(about));
    const ofPage = shown.length === expected.length && timingSafeEqual(shown, expected);
    if (request.headers.get("origin") !== this.#origin || !ofPage)
      throw signInRefused("other-page", `This was not sent from the page that was shown: begin again, at ${this.#origin}.`);
    return browser;
  }

  #browser(cookie: string): Browser {
    return {
      id: sha256(`browser ${cookie}`),
      setCookie: `${cookieName}=${cookie}; Path=/; Max-Age=${cookieSeconds}; Secure; HttpOnly; SameSite=Lax`,
      formToken: (about) => createHmac("sha256", this.#key).update(`${cookie} ${about}`).digest("base64url"),
    };
  }
}

/** Undefined where there is none of ours, or more than one: then it cannot be told which is. */
function cookieOf({ headers }: EdgeRequest): string | undefined {
  const values = (headers.get("cookie") ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`))
    .map((pair) => pair.slice(cookieName.length + 1));
  const [value] = values;
  return values.length === 1 && isOpaqueValue(value as string) ? value : undefined;
}

export const otherBrowser = () =>
  signInRefused(
    "other-browser",
    "This sign-in was not begun in this browser, or it took too long, or the browser keeps no cookies: begin it again, and finish it here.",
  );
