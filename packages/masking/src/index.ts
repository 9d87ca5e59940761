export { type Encoding, encodingsOf } from "./canary/encodings-of.ts";
export { type Finding, scanFor } from "./canary/scan-for.ts";
export { EventMasker, eventFormatOf } from "./events/event-masker.ts";
export type { EventFormat } from "./events/event-splitter.ts";
export { type MaskEntry, MaskSet, ValueRefused } from "./mask-set.ts";
export { maskerFor, maskStream, type StreamMasker } from "./mask-stream.ts";
export { maskBytes, maskHeaderValue, maskText } from "./mask-text.ts";
export { Masker } from "./masker.ts";
export { placeholderFor, refusalFor } from "./registration.ts";
