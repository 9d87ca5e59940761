import { Action, Refusal } from "@sallyport/contracts";

const names = new Map<Action, string>(
  Object.entries(Action)
    .filter(([, value]) => value !== Action.UNSPECIFIED)
    .map(([name, value]) => [value, name.toLowerCase()]),
);
const actions = new Map([...names].map(([action, name]) => [name, action]));

/** Every action, in the order of the contract. */
export const allActions: readonly Action[] = [...names.keys()];

/** The action's name as claims, policies and people write it: `use`, `delegate`, …; undefined where absent or unknown. */
export const actionName = (action: Action): string | undefined => names.get(action);

/** The action of a name; undefined where there is none. */
export const actionNamed = (name: string): Action | undefined => actions.get(name);

/** An action from the wire, where 0 and what a later version sends are refused. @throws Refusal INVALID_REQUEST */
export function parseAction(action: Action): Action {
  if (names.has(action)) return action;
  throw new Refusal("INVALID_REQUEST", `Name an action: one of ${[...names.values()].join(", ")}.`);
}
