import { keyCode } from "@sallyport/identity";
import type { EdgeResponse } from "@sallyport/service";

/**
 * Asks the person before the browser goes to the identity provider, which may sign them in without a word: any program on their machine,
 * and any page, can open the address with a key of its own. The code is the one that `sallyport login` shows.
 */
export const beginPage = (thumbprint: string): EdgeResponse => ({
  status: 200,
  headers: {
    "content-type": "text/html; charset=utf-8",
    // No `form-action`: some browsers hold it against every redirect that follows, which are the identity provider's own affair.
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    // By `no-referrer` the form would be sent with `Origin: null` (Fetch, "append a request Origin header").
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
  },
  body: `<!doctype html>
<html lang="en">
<title>Sign in to Sallyport?</title>
<h1>Sign in to Sallyport?</h1>
<p>A command line asks to act as you. Its code is <strong>${keyCode(thumbprint)}</strong>.</p>
<p>Go on only if you ran <code>sallyport login</code> just now, and it shows the same code. Otherwise close this page.</p>
<form method="post"><button>The code is the same: sign in</button></form>
</html>
`,
});
