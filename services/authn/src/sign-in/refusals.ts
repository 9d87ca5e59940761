import { type Reason, Refusal } from "@sallyport/contracts";
import { type RequestError, requestErrorKey } from "../http/form.ts";

/** Which rule of the sign-in a refusal is by: on the page and in the evidence. */
const ruleKey = "sign_in";

export type SignInRule =
  | "user-code"
  | "over"
  | "other-browser"
  | "other-page"
  | "other-provider"
  | "client"
  | "redirect-uri"
  | "answer"
  | "denied"
  | "denied-there"
  | "too-often";

export const signInRefused = (rule: SignInRule, sentence: string, cause?: unknown, reason: Reason = "UNAUTHENTICATED"): Refusal =>
  new Refusal(reason, sentence, { metadata: { [ruleKey]: rule }, ...(cause === undefined ? {} : { cause }) });

/** The person said no on our own page. */
export const deniedHere = () =>
  signInRefused(
    "denied",
    "You said no: nothing was sent to an identity provider. If you did not ask to sign in, somebody else wanted to act as you; it is on record: tell whoever runs Sallyport.",
  );

/** The identity provider says that nobody was signed in. */
export const deniedThere = (cause: unknown) =>
  signInRefused("denied-there", "The identity provider says that nobody was signed in: access was denied there.", cause);

export const signInRuleOf = (error: unknown): string | undefined => (error instanceof Refusal ? error.metadata[ruleKey] : undefined);

/** A grant that the token endpoint does not take, in OAuth's word for why. */
export const grantRefused = (sentence: string, error: RequestError = "invalid_grant"): Refusal =>
  new Refusal("UNAUTHENTICATED", sentence, { metadata: { [requestErrorKey]: error } });

/** What another site, or another browser, has sent: nobody is sent anywhere by it. */
export const isForged = (error: unknown): boolean => ["other-page", "other-browser"].includes(signInRuleOf(error) ?? "");
