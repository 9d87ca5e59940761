import assert from "node:assert/strict";
import { password } from "./realm.ts";

/** Where a person's browser ended up. */
export interface Arrived {
  readonly url: URL;
  /** The page's text; empty where nothing was asked for at `url` any more. */
  readonly html: string;
}

/** A person at Keycloak's pages, with a browser that keeps cookies, sends forms and runs no scripts. */
export class KeycloakPerson {
  readonly #base: string;
  readonly #name: string;
  readonly #cookies = new Map<string, string>();

  constructor(base: string, name: string) {
    this.#base = base;
    this.#name = name;
  }

  /** Opens an address, signs in where Keycloak asks, says yes where it asks, and follows until the browser leaves Keycloak, or rests on a page. */
  async browse(first: string): Promise<Arrived> {
    let at = await this.#load(new URL(first));
    for (let step = 0; step < 8 && at.html !== ""; step++) {
      const form = formOf(at);
      if (form === undefined) return at;
      if (!form.action.href.startsWith(this.#base)) return { url: form.action, html: form.fields.toString() };
      if (form.fields.has("username")) {
        form.fields.set("username", this.#name);
        form.fields.set("password", password);
      }
      form.fields.delete("cancel");
      at = await this.#load(form.action, form.fields);
    }
    return at;
  }

  async #load(first: URL, fields?: URLSearchParams): Promise<Arrived> {
    let url = first;
    let body = fields;
    for (let hop = 0; hop < 10; hop++) {
      if (!url.href.startsWith(this.#base)) {
        if (body === undefined && !url.pathname.startsWith("/saml/")) return { url, html: "" };
      }
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, {
        redirect: "manual",
        headers: { cookie, accept: "text/html" },
        ...(body === undefined ? {} : { method: "POST", body }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) this.#cookies.set(name, value);
      }
      const location = response.headers.get("location");
      if (location === null) return { url, html: await response.text() };
      await response.arrayBuffer();
      url = new URL(location, url);
      body = undefined;
    }
    return assert.fail("the browser went round in circles");
  }
}

/** The page's first form, as a press on its last button sends it. */
function formOf({ url, html }: Arrived): { action: URL; fields: URLSearchParams } | undefined {
  const [, attributes, inside] = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(html) ?? [];
  if (attributes === undefined || inside === undefined) return undefined;
  const fields = new URLSearchParams();
  for (const [, input = ""] of inside.matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(input, "name");
    if (name !== undefined && attribute(input, "type") !== "checkbox") fields.set(name, attribute(input, "value") ?? "");
  }
  return { action: new URL(attribute(attributes, "action") ?? "", url), fields };
}

function attribute(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`\\b${name}\\s*=\\s*"([^"]*)"`, "i").exec(text) ?? [];
  return value?.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#x2B;", "+").replaceAll("&#x3D;", "=");
}
