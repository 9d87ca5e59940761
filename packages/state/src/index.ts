export { openConfiguredState } from "./open-configured.ts";
export { openState, type StateOptions } from "./open-state.ts";
export type { Entry, State, StateMark, WriteOptions } from "./state.ts";
