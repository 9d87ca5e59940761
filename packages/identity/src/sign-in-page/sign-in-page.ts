import { createHash } from "node:crypto";
import { Html, html } from "./html.ts";
import { style } from "./style.ts";

/** A page that a person sees while they sign in: ours, at authn's HTTP edge or at the command line's own port. */
export interface SignInPage {
  readonly title: string;
  /** It asks for a yes, says that something is done, or that it was refused. */
  readonly tone: "ask" | "done" | "refused";
  readonly content: Html;
}

export interface RenderedPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Two doors, of which one is open. */
const brand = html`<p class="brand"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round" aria-hidden="true"><path d="M3 21V7.5L12 3l9 4.5V21M1.5 21h21"/><path d="M7 21V11.5h4V21z" fill="currentColor"/><path d="M13 21V11.5h4V21"/></svg>Sallyport</p>`;

/** It is ours, and its hash is taken of exactly this. */
const sheet = new Html(style);
const styleHash = createHash("sha256").update(style).digest("base64");

/**
 * Nothing but its own text and this one style sheet, which CSP knows by its hash: no script, no frame, nothing of another origin.
 * RFC 9700 §4.2.4: what is in the address or on the page goes no further, by referrer or by cache.
 */
export function signInPage({ title, tone, content }: SignInPage): RenderedPage {
  // Some browsers hold `form-action` against every redirect that follows a form, which are the identity provider's own affair.
  const formAction = tone === "ask" ? "" : "; form-action 'none'";
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sallyport</title>
<style>${sheet}</style>
</head>
<body>
<main class="${tone}">
${brand}
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;
  return {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; frame-ancestors 'none'; base-uri 'none'; style-src 'sha256-${styleHash}'${formAction}`,
      // By `no-referrer` a form would be sent with `Origin: null` (Fetch, "append a request Origin header").
      "referrer-policy": tone === "ask" ? "same-origin" : "no-referrer",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
    body: page.markup,
  };
}
