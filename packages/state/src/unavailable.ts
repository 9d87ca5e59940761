import { Refusal } from "@sallyport/contracts";

/** Why a state refuses; also the metadata `state` of the refusal. */
type Why = "unreachable" | "late" | "closed" | "not-in-use" | "other-generation" | "behind" | "epoch-taken" | "not-replicated";

const sentences: Record<Why, string> = {
  unreachable: "The shared state cannot be reached; nothing is decided without it. Try again, and see whether it runs.",
  late: "The shared state did not answer in time; nothing is decided without it. Try again in a moment.",
  closed: "The shared state was closed, as this process is stopping. Ask another replica.",
  "not-in-use": "Which generation of the shared state is in use is not known yet. Try again once authn is ready.",
  "other-generation":
    "The shared state is empty or was started anew, so what was known before is gone. Everything refuses until authn has raised the epoch.",
  behind: "The shared state is older than what was already seen: it was rolled back. Everything refuses until authn has raised the epoch.",
  "epoch-taken": "Another authn has already started a newer generation of the shared state. Read its mark and use that.",
  "not-replicated": "The shared state's replica did not confirm a write in time. Try again, and see whether the replica runs.",
};

/** @param cause for logs; must not hold what is stored */
export const unavailable = (why: Why, cause?: unknown): Refusal =>
  new Refusal("STATE_UNAVAILABLE", sentences[why], { metadata: { state: why }, retryAfterMs: 1000, cause });
