import { chown, open, rename, rm, stat } from "node:fs/promises";

/** Puts new content in a file's place, whole or not at all; for its present owner alone, whoever runs this. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const { uid, gid } = await stat(path);
  const draft = `${path}.${process.pid}`;
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    if (process.getuid?.() !== uid) await chown(draft, uid, gid);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
