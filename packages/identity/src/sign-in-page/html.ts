/** Markup in which every value that came from elsewhere is escaped. Made by {@link html} alone. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** Writes markup as a template literal: texts in it are escaped, for an element's content and for a quoted attribute alike. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  return new Html(parts.map((part, at) => part + (at < values.length ? markupOf(values[at] as string | Html) : "")).join(""));
}

const markupOf = (value: string | Html): string => (value instanceof Html ? value.markup : escaped(value));

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] as string);
