/** A method and a path template of a target's configuration: `{name}` stands for one segment that is not empty. */
export interface AllowRule {
  readonly method: string;
  readonly path: string;
}

/** Whether a rule allows the canonical path: segment by segment, so that no prefix ever widens. */
export const allows = (rules: readonly AllowRule[], method: string, path: string): boolean =>
  rules.some((rule) => rule.method === method && matches(rule.path, path));

function matches(template: string, path: string): boolean {
  const wanted = template.split("/");
  const segments = path.split("/");
  return (
    wanted.length === segments.length &&
    wanted.every((part, index) => {
      const segment = segments[index] as string;
      return /^\{\w+\}$/.test(part) ? segment !== "" : part === segment;
    })
  );
}
