import type { EdgeResponse } from "@sallyport/service";

/** RFC 9700 §4.2.4: what is in the address or on the page goes no further, by referrer, by script, by frame or by cache. */
const headers = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};

/** Plain text, so that nothing in it can be taken for markup. */
export const page = (status: number, text: string): EdgeResponse => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  body: `${text}\n`,
});

/** A POST that is answered becomes a GET (RFC 9110 §15.4.4): the response does not travel on. */
export const sendTo = (url: string, status: 303): EdgeResponse => ({ status, headers: { location: url, ...headers }, body: "" });
