/** What the story tells an agent to do, and what it answers. */
export interface Command {
  readonly id: number;
  /** Names of the agents on the way down; empty where this agent is meant. */
  readonly to: readonly string[];
  readonly action: string;
  // biome-ignore lint/suspicious/noExplicitAny: each action reads its own arguments
  readonly args: any;
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly event?: string;
  readonly refusal?: { reason: string; sentence: string; metadata: Record<string, string> };
}
