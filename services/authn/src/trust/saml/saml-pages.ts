import { type Refusal, reasons } from "@sallyport/contracts";
import { html, keyCode } from "@sallyport/identity";
import type { EdgeResponse } from "@sallyport/service";
import { page } from "../../http/person-pages.ts";
import { ruleOf } from "./saml-refusals.ts";

/**
 * Asks the person before the browser goes to the identity provider, which may sign them in without a word: any program on their machine,
 * and any page, can open the address with a key of its own. The code is the one that `sallyport login` shows.
 */
export const beginPage = (thumbprint: string): EdgeResponse =>
  page(200, {
    title: "Sign in to Sallyport?",
    tone: "ask",
    content: html`<p>A command line asks to act as you. Its code is</p>
<p class="code"><strong>${keyCode(thumbprint)}</strong></p>
<p>Go on only if you ran <code>sallyport login</code> just now, and it shows the same code.</p>
<form method="post">
<button class="go" name="answer" value="yes">The code is the same: sign in</button>
<button name="answer" value="no">No, I did not ask for this</button>
</form>`,
  });

/** The person said no. @param back tells a command line that waits */
export const declinedPage = (refusal: Refusal, back: string): EdgeResponse =>
  page(reasons[refusal.reason].http, {
    title: "Nobody was signed in",
    tone: "refused",
    content: html`<p>${refusal.message}</p>
<p><a href="${back}">Tell the command line</a> if it is yours; otherwise close this page.</p>
<p class="soft"><code>${refusal.reason} (${ruleOf(refusal) ?? ""})</code></p>`,
  });

/** For a person whom nobody on their machine waits for. */
export const codePage = (code: string): EdgeResponse =>
  page(200, {
    title: "You are signed in",
    tone: "done",
    content: html`<p>Within a minute, run <code>sallyport login --saml-code-stdin</code> in your own terminal, and give it this code:</p>
<p class="code long">${code}</p>
<p>Give it to nobody who asks you for it.</p>`,
  });
