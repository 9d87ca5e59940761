/** `{name}`: one segment that is not empty. `{name+}`, at the end only: one or more. */
const placeholder = /^\{[A-Za-z][A-Za-z0-9_]*\}$/;
const tail = /^\{[A-Za-z][A-Za-z0-9_]*\+\}$/;
const segmentChars = /^(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})+$/;

/** Whether a canonical path fits a template: segment by segment, so that no prefix ever widens. */
export function matchesTemplate(template: string, path: string): boolean {
  const wanted = template.split("/");
  const segments = path.split("/");
  const open = tail.test(wanted.at(-1) ?? "");
  if (open ? segments.length < wanted.length : segments.length !== wanted.length) return false;
  return segments.every((segment, index) => {
    const part = wanted[Math.min(index, wanted.length - 1)] as string;
    return placeholder.test(part) || (open && index >= wanted.length - 1) ? segment !== "" : part === segment;
  });
}

/**
 * Why a template says less than it seems to, or could be taken for "everything": empty, a lone slash, wildcards, a blank at an end, braces that
 * are no placeholder, dots, a spelling that no canonical path has. A sentence's end, or undefined.
 */
export function templateProblem(template: unknown): string | undefined {
  if (typeof template !== "string" || template === "") return "must be a path such as /v1/orders/{id}";
  if (template.length > 2048) return "is longer than 2048 characters";
  if (/[\s\p{Cc}\p{Cf}]/u.test(template)) return "holds a blank or a control character; take it out";
  if (!template.startsWith("/")) return "must start with /";
  if (template === "/") return "must have a segment: / alone looks as if it meant every path";
  if (/[*[\]?#]/.test(template)) return "has no wildcards or query: write {name} for one segment, {name+} at the end for the rest";
  const segments = template.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (placeholder.test(segment) || (last && tail.test(segment))) continue;
    if (tail.test(segment)) return "takes {name+} at its end only";
    if (/[{}]/.test(segment)) return "takes {name} for a whole segment only";
    if (segment === "" && !(last && segments.length > 1)) return "holds an empty segment";
    if (segment !== "" && !segmentChars.test(segment)) return "must be written plainly: only what needs it is percent-encoded, in capitals";
    if (/%(?:[46][1-9A-F]|[57][0-9A]|3[0-9]|2D|2E|5F|7E)/.test(segment))
      return "encodes what needs no encoding, which no request's path does";
    if (/^\.{1,2}$/.test(segment)) return "holds . or .. as a segment";
  }
  return undefined;
}
