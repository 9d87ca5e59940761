import assert from "node:assert/strict";

/** What a person's browser does at the page that `sallyport login --saml` opens: it shows a code, and the button sends the form. @returns where it goes then */
export async function beginSignIn(url: string): Promise<{ code: string; next: URL }> {
  const page = await fetch(url, { redirect: "manual" });
  const html = await page.text();
  assert.equal(page.status, 200, html);
  const code = /<strong>([^<]+)<\/strong>/.exec(html)?.[1] ?? assert.fail(html);
  const sent = await fetch(url, {
    method: "POST",
    body: new URLSearchParams({ answer: "yes" }),
    headers: { origin: new URL(url).origin },
    redirect: "manual",
  });
  assert.equal(sent.status, 303, await sent.text());
  return { code, next: new URL(sent.headers.get("location") ?? assert.fail("it leads nowhere")) };
}
