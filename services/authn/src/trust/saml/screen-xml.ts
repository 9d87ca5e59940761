import { type SamlRule, samlRefused } from "./saml-refusals.ts";

/**
 * What may be parsed at all. Outside of `<!DOCTYPE`, `<!--`, `<![CDATA[` and `<?` there is no markup in XML but elements, and none of
 * those four has a use in a SAML response; each of them has cut a name in two, or changed what was signed, in some parser. So they are
 * refused in the text, where no parser's opinion counts: `<` can stand nowhere else in well-formed XML (XML 1.0 §2.4).
 *
 * @param comments metadata are written by people, and may have them
 */
export function screenXml(
  text: string,
  refused: (rule: SamlRule) => Error = samlRefused,
  comments: "refused" | "allowed" = "refused",
): void {
  const body = text.replace(
    /^\ufeff?<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']utf-8["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/i,
    "",
  );
  for (const [markup] of body.matchAll(/<[!?](?:--|\[CDATA\[)?/g)) {
    if (markup === "<?") throw refused("processing-instruction");
    if (markup === "<!--" && comments === "allowed") continue;
    throw refused(markup === "<!--" ? "comment" : markup === "<![CDATA[" ? "cdata" : "doctype");
  }
  for (const [, name = ""] of body.matchAll(/&([^;&<]{0,12};?)/g)) {
    if (!/^(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});$/.test(name)) throw refused("entity");
  }
}
