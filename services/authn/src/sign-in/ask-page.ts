import { printable } from "@sallyport/contracts";
import { type Html, html } from "@sallyport/identity";
import { commandLineClient, type EdgeResponse } from "@sallyport/service";
import { invalid } from "../http/form.ts";
import { page } from "../http/person-pages.ts";
import type { SignInFront } from "./sign-in-front.ts";
import type { SignInProvider } from "./sign-in-provider.ts";

/** Where a person enters the code that their terminal shows (RFC 8628 §3.3). */
export const enterCodePage = (): EdgeResponse =>
  page(200, {
    title: "Sign in to Sallyport",
    tone: "ask",
    content: html`<p>Enter the code that your terminal shows. Enter none that somebody else gave you: whoever has you enter theirs is signed in as you.</p>
<form method="get">
<label for="code">Code</label>
<input id="code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="40" required autofocus>
<button class="go">Go on</button>
</form>`,
  });

/** What a person is asked before anything is sent to an identity provider. */
export interface Question {
  /** Where the form goes. */
  readonly action: string;
  /** What goes along unchanged. */
  readonly hidden: Readonly<Record<string, string>>;
  /** What the terminal shows too. */
  readonly code: string;
  readonly client: string;
  /** From where it asks, and when: a sentence. */
  readonly whence: string;
  /** Names of identity providers. */
  readonly providers: readonly string[];
}

/**
 * An identity provider may sign a person in without a word, and any page or program can have a browser come here: so the person says yes to
 * this one sign-in first (RFC 8628 §3.3.1, §5.4).
 */
export const askPage = ({ action, hidden, code, client, whence, providers }: Question): EdgeResponse =>
  page(200, {
    title: "Sign in to Sallyport?",
    tone: "ask",
    content: html`<p>${client === commandLineClient ? "A command line" : printable(client, 80)} asks to act as you. Its code is</p>
<p class="code"><strong>${code}</strong></p>
<p class="soft">${printable(whence, 300)}</p>
<p>Go on only if you asked for this just now, and are shown the same code there.</p>
<form method="post" action="${action}">
${fields(hidden)}
${choices(providers)}
<button name="answer" value="no">No, I did not ask for this</button>
</form>`,
  });

const joined = (parts: readonly Html[]): Html => parts.reduce((all, part) => html`${all}${part}`, html``);

const fields = (hidden: Question["hidden"]): Html =>
  joined(Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`));

const choices = (providers: readonly string[]): Html =>
  joined(
    providers.map(
      (name) => html`<button class="go" name="provider" value="${name}">${
        providers.length === 1 ? "The code is the same: sign in" : `The code is the same: sign in at ${name}`
      }</button>
`,
    ),
  );

/** The person signed in; what asked has, or fetches, its session. */
export const signedInPage = (principal: string): EdgeResponse =>
  page(200, {
    title: "Go back to your terminal",
    tone: "done",
    content: html`<p>You signed in as <strong>${printable(principal, 250)}</strong>. What asked for it says whether it has its session. This window can be closed.</p>`,
  });

/** Which of the page's buttons sent the form. What is no clear yes begins nothing. */
export function parseAnswer(form: ReadonlyMap<string, string>, { providers }: SignInFront): SignInProvider | "no" {
  const [answer, name] = [form.get("answer"), form.get("provider")];
  if (answer === "no" && name === undefined) return "no";
  const provider = answer === undefined && name !== undefined ? providers.get(name) : undefined;
  if (provider === undefined) throw invalid("Answer by one of the page's buttons.");
  return provider;
}
