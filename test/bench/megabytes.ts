export const textBytes = 4 << 20;
const chunkBytes = 65536;

const words =
  "the gateway of a release waits until every order was paid and shipped; then it sends one line to the audit log of its region".split(" ");
export const word = (index: number) => words[(index * 2654435761) % words.length] as string;

/** A text of `textBytes`, of ASCII. */
export function repeated(make: (index: number) => string): Buffer {
  const parts: string[] = [];
  for (let length = 0, index = 0; length < textBytes; index++) {
    const part = make(index);
    parts.push(part);
    length += part.length;
  }
  return Buffer.from(parts.join(""), "latin1").subarray(0, textBytes);
}

export const plainText = (): Buffer => repeated((index) => `${word(index)}${index % 13 === 12 ? ".\n" : " "}`);

/** Pushes all of a text through a masker, in chunks of 64 KiB. */
export function pushAll(masker: { push(chunk: Uint8Array): Uint8Array; end(): Uint8Array }, text: Buffer): void {
  for (let at = 0; at < text.length; at += chunkBytes) masker.push(text.subarray(at, at + chunkBytes));
  masker.end();
}

/** Megabytes a second of a text of `textBytes`, by the time that this thread had a core, since nothing here waits. */
export function rate(run: () => void): number {
  const began = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(began);
  return textBytes / (user + system);
}
