import { type Address, formatAddress } from "../config/fields.ts";

/** Why a process cannot start, in a sentence for whoever starts it. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** @param setting which setting names the address */
export function cannotListen(address: Address, setting: string, cause: unknown): StartError {
  const where = formatAddress(address);
  const text = String((cause as Error).message ?? cause);
  const code = (cause as NodeJS.ErrnoException).code ?? /E[A-Z]{4,}/.exec(text)?.[0];
  const why: Record<string, string> = {
    EADDRINUSE: `the port is in use; stop what listens there, or set ${setting} to another one`,
    EACCES: `this user may not; set ${setting} to a port above 1023`,
    EADDRNOTAVAIL: `this machine has no such address; set ${setting} to one that it has, such as 127.0.0.1:${address.port}`,
    ENOTFOUND: `no such host name; set ${setting} to an address of this machine`,
  };
  return new StartError(`Cannot listen on ${where}: ${(code && why[code]) ?? `${text}; see ${setting}`}.`, { cause });
}

/** What the operating system says of a file, in words. */
export function fileProblem(error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === undefined || path === undefined) return undefined;
  const why: Record<string, string> = {
    ENOENT: "does not exist",
    EACCES: "may not be read or written by this user",
    EPERM: "may not be changed by this user",
    ENOSPC: "cannot be written: the disk is full",
    EROFS: "cannot be written: the file system is read-only",
    EISDIR: "is a folder, where a file is needed",
    ENOTDIR: "lies below a file, where a folder is needed",
  };
  return `${path} ${why[code] ?? `cannot be used (${code})`}`;
}
