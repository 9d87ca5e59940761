import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { html } from "./html.ts";
import { type SignInPage, signInPage } from "./sign-in-page.ts";

const page = (tone: SignInPage["tone"], title = "Sign in?") => signInPage({ title, tone, content: html`<p>${"text"}</p>` });

describe("a page of a sign-in", () => {
  it("takes whatever text stands in it for text, in an element and in an attribute", () => {
    const nasty = `</title><script>alert(1)</script><a href='x' title="y" onclick=z>&amp;`;
    const { body } = signInPage({ title: nasty, tone: "refused", content: html`<p title="${nasty}" lang='${nasty}'>${nasty}</p>` });
    assert.doesNotMatch(body, /<script|<a |alert\(1\)<\//);
    const shown = "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;a href=&#39;x&#39; title=&quot;y&quot; onclick=z&gt;&amp;amp;";
    assert.equal(body.split(shown).length, 6, body);
    assert.ok(html`<b>${html`<i>${"&"}</i>`}</b>`.markup === "<b><i>&amp;</i></b>", "benign twin: markup of ours stays markup, once");
  });

  it("lets in its own style by its hash, and nothing else", () => {
    for (const tone of ["ask", "done", "refused"] as const) {
      const { headers, body } = page(tone);
      const styles = [...body.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text = ""]) => text);
      assert.equal(styles.length, 1);
      const hash = createHash("sha256")
        .update(styles[0] ?? "")
        .digest("base64");
      const policy = headers["content-security-policy"] ?? "";
      assert.deepEqual(
        policy.split("; ").filter((part) => part.startsWith("style-src")),
        [`style-src 'sha256-${hash}'`],
      );
      assert.match(policy, /^default-src 'none'; frame-ancestors 'none'; base-uri 'none';/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
      assert.doesNotMatch(body, /<script|<link|<img|<iframe|\bstyle=|\bon[a-z]+=|url\(|@import|https?:/);
      assert.equal(headers["cache-control"], "no-store");
    }
  });

  it("sends a form only where it asks, and its address to nobody else", () => {
    assert.doesNotMatch(page("ask").headers["content-security-policy"] ?? "", /form-action/);
    assert.equal(page("ask").headers["referrer-policy"], "same-origin");
    for (const tone of ["done", "refused"] as const) {
      assert.match(page(tone).headers["content-security-policy"] ?? "", /; form-action 'none'$/);
      assert.equal(page(tone).headers["referrer-policy"], "no-referrer");
    }
  });
});
