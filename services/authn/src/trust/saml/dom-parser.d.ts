/** The package's own types bring all of a browser's globals along, which hide Node's. */
declare module "@xmldom/xmldom/lib/dom-parser.js" {
  export class DOMParser {
    constructor(options: { errorHandler: Record<"warning" | "error" | "fatalError", (message: string) => void> });
    parseFromString(text: string, type: "text/xml"): { documentElement: unknown };
  }
}
