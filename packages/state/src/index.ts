export { openState, type StateOptions } from "./open-state.ts";
export type { Entry, State, StateMark, WriteOptions } from "./state.ts";
