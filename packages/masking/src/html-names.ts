/** HTML's names for the printable ASCII characters and white space (HTML §13.5); the first five may lack their semicolon. */
export const htmlNames: ReadonlyMap<string, number> = new Map(
  Object.entries({
    amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " ", AMP: "&", LT: "<", GT: ">", QUOT: '"',
    apos: "'", Tab: "\t", NewLine: "\n", excl: "!", num: "#", dollar: "$", percnt: "%", lpar: "(", rpar: ")", ast: "*", midast: "*",
    plus: "+", comma: ",", period: ".", sol: "/", colon: ":", semi: ";", equals: "=", quest: "?", commat: "@", lsqb: "[", lbrack: "[",
    bsol: "\\", rsqb: "]", rbrack: "]", Hat: "^", lowbar: "_", UnderBar: "_", grave: "`", DiacriticalGrave: "`", lcub: "{", lbrace: "{",
    verbar: "|", vert: "|", VerticalLine: "|", rcub: "}", rbrace: "}", hyphen: "-", dash: "-",
  }).map(([name, character]) => [name, character.charCodeAt(0)]),
); // biome-ignore format: a table

/** Names that browsers accept without the semicolon. */
export const bareHtmlNames: ReadonlySet<string> = new Set(["amp", "lt", "gt", "quot", "nbsp", "AMP", "LT", "GT", "QUOT"]);

/** Characters of the longest name. */
export const LONGEST_HTML_NAME = 16;
