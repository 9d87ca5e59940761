import { type Refusal, reasons } from "@sallyport/contracts";
import { html, type SignInPage, signInPage } from "@sallyport/identity";
import type { EdgeResponse } from "@sallyport/service";

/** A page for a person. */
export const page = (status: number, content: SignInPage): EdgeResponse => ({ status, ...signInPage(content) });

/** Why nobody was signed in: a sentence, its reason, and the rule's name. */
export function refusedPage(refusal: Refusal, rule: string | undefined): EdgeResponse {
  const { reason, message } = refusal;
  return page(reasons[reason].http, {
    title: "Nobody was signed in",
    tone: "refused",
    content: html`<p>${message}</p>
<p class="soft"><code>${reason}${rule === undefined ? "" : ` (${rule})`}</code></p>`,
  });
}

/** A POST that is answered becomes a GET (RFC 9110 §15.4.4): the response does not travel on. */
export const sendTo = (url: string, status: 303): EdgeResponse => ({
  status,
  headers: {
    location: url,
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  },
  body: "",
});
