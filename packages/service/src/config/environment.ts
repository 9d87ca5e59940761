/** Settings that the environment overrides, for containers: variable → path in the file. Lists are parted by commas. */
export const overrides: Readonly<Record<string, { path: readonly string[]; list?: boolean }>> = {
  SALLYPORT_TRUST_DOMAIN: { path: ["trustDomain"] },
  SALLYPORT_AUDIENCE: { path: ["audience"] },
  SALLYPORT_DATA_DIR: { path: ["dataDir"] },
  SALLYPORT_STATE: { path: ["state"] },
  SALLYPORT_EVIDENCE_MODE: { path: ["evidence", "mode"] },
  SALLYPORT_KAFKA_BROKERS: { path: ["evidence", "kafka", "brokers"], list: true },
  SALLYPORT_KAFKA_TOPIC: { path: ["evidence", "kafka", "topic"] },
  SALLYPORT_POLICIES: { path: ["policies"] },
  SALLYPORT_OTLP: { path: ["telemetry", "otlp"] },
};

/** Writes the environment's overrides into the file's plain value, and says which variable each path came from. */
export function applyEnvironment(value: Record<string, unknown>, env: NodeJS.ProcessEnv): Map<string, string> {
  const origins = new Map<string, string>();
  for (const [variable, { path, list }] of Object.entries(overrides)) {
    const text = env[variable];
    if (text === undefined || text === "") continue;
    let parent = value;
    for (const key of path.slice(0, -1)) {
      const next = isObject(parent[key]) ? parent[key] : {};
      parent[key] = next;
      parent = next;
    }
    parent[path.at(-1) as string] = list ? text.split(",").map((item) => item.trim()) : text;
    origins.set(path.join("."), variable);
  }
  return origins;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
