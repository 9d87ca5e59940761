export { DataHash } from "./data-hash.ts";
export { type DataFormat, DataMasker, type DataMaskerOptions, DataRefused } from "./data-masker.ts";
export { compileRules, type DataRule, type DataRules } from "./data-rules.ts";
export { DataUnreadable } from "./data-unreadable.ts";
