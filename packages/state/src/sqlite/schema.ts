/** One row of `mark` says which life of the state this is; all else belongs to it. */
export const schema = `
  CREATE TABLE IF NOT EXISTS mark (one INTEGER PRIMARY KEY CHECK (one = 1), generation TEXT NOT NULL, epoch INTEGER NOT NULL, tick INTEGER NOT NULL, behind INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS entry (
    collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER,
    PRIMARY KEY (collection, id)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entry_expires ON entry (expires) WHERE expires IS NOT NULL;
  CREATE TABLE IF NOT EXISTS log (name TEXT NOT NULL, sequence INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, sequence)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, sum INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

export const statements = {
  mark: "SELECT generation, epoch, tick, behind FROM mark",
  tick: "UPDATE mark SET tick = tick + 1 RETURNING tick",
  setMark: "INSERT OR REPLACE INTO mark (one, generation, epoch, tick, behind) VALUES (1, ?, ?, 1, 0)",
  setBehind: "UPDATE mark SET behind = 1 WHERE generation = ?",
  get: "SELECT value, version FROM entry WHERE collection = ? AND id = ? AND (expires IS NULL OR expires > ?)",
  put: "INSERT OR REPLACE INTO entry (collection, id, value, version, expires) VALUES (?, ?, ?, ?, ?)",
  delete: "DELETE FROM entry WHERE collection = ? AND id = ? AND (expires IS NULL OR expires > ?)",
  list: "SELECT id, value, version FROM entry WHERE collection = ? AND id > ? AND (expires IS NULL OR expires > ?) ORDER BY id LIMIT ?",
  count: "SELECT count(*) AS count FROM entry WHERE collection = ? AND (expires IS NULL OR expires > ?)",
  sweepEntries: "DELETE FROM entry WHERE expires <= ?",
  sweepCounters: "DELETE FROM counter WHERE expires <= ?",
  wipeEntries: "DELETE FROM entry",
  wipeLogs: "DELETE FROM log",
  wipeCounters: "DELETE FROM counter",
  lastSequence: "SELECT max(sequence) AS last FROM log WHERE name = ?",
  append: "INSERT INTO log (name, sequence, value) VALUES (?, ?, ?)",
  readLog: "SELECT sequence, value FROM log WHERE name = ? AND sequence > ? ORDER BY sequence LIMIT ?",
  trimLog: "DELETE FROM log WHERE name = ? AND sequence <= ? AND sequence < (SELECT max(sequence) FROM log WHERE name = ?)",
  increment:
    "INSERT INTO counter (name, sum, expires) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET " +
    "sum = CASE WHEN counter.expires <= ?4 THEN excluded.sum ELSE counter.sum + excluded.sum END, " +
    "expires = CASE WHEN counter.expires <= ?4 THEN excluded.expires ELSE counter.expires END RETURNING sum",
} as const;
