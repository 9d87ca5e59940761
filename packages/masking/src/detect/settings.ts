/** What a configuration needs of data masking, without what looks for data. */
export type { DataRule } from "./data-rules.ts";
export { categories, presets } from "./detectors/catalogue.ts";
export { customPatternProblem } from "./find/custom-pattern.ts";
export { type Action, strictness } from "./finding.ts";
export { pathProblem } from "./json/json-path.ts";
