import { html } from "@sallyport/identity";

/** What somebody typed, and what it printed. */
export interface Shown {
  readonly typed: string;
  readonly printed: string;
}

const style = `
body{margin:0;background:#11161d;color:#d5dde6;font:13px/1.5 "DejaVu Sans Mono",monospace}
pre{margin:0;padding:18px 22px;font:inherit;white-space:pre}
b{color:#8fd6b0;font-weight:400}
i{color:#fff;font-style:normal;font-weight:700}
`;

/** A terminal, as a page to be photographed. */
export function terminal(shown: readonly Shown[]): string {
  const lines = shown.map(({ typed, printed }) => html`<b>$</b> <i>${typed}</i>\n${printed.trimEnd()}\n`.markup);
  return `<!doctype html><style>${style}</style><pre>${lines.join("\n")}</pre>`;
}
