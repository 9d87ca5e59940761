import { EventMasker, Masker, type MaskSet, maskBytes } from "@sallyport/masking";

/** One message, looked at. */
export interface Looked {
  /** Without values. */
  readonly masked: Uint8Array;
  /** How many values were in it. */
  readonly found: number;
  /** Whether its end, or that of one before, may be the beginning of a value that goes on in the next. */
  readonly undecided: boolean;
  /** Whether it completes a value that began in a message before. */
  readonly completes: boolean;
}

const lineFeed = 0x0a;
const space = 0x20;

/**
 * Looks at the messages of one direction of a WebSocket: each by itself, and over their edges. Beside their bytes, the text at each JSON
 * pointer is followed from message to message, as in a stream of events.
 */
export class MessageLook {
  readonly #set: MaskSet;
  /** As new after each message's end. */
  readonly #alone: Masker;
  readonly #along: EventMasker;
  #looked = 0;
  #decided = 0;

  constructor(set: MaskSet) {
    this.#set = set;
    this.#alone = new Masker(set);
    this.#along = new EventMasker(set, "lines");
  }

  look(message: Uint8Array): Looked {
    const before = this.#alone.count;
    const masked = Buffer.concat([this.#alone.push(message), this.#alone.end()]);
    const found = this.#alone.count - before;
    this.#looked++;
    // What it holds by itself is out: what is found then lies across messages.
    const { across } = this.#along;
    const out = this.#along.push(lineOf(masked));
    for (const byte of out) if (byte === lineFeed) this.#decided++;
    const completes = this.#along.across > across;
    return { masked: found === 0 ? message : masked, found, undecided: this.#decided < this.#looked, completes };
  }

  /** Masks what is no message: a close's reason, whose end nothing follows. */
  mask(text: string): string {
    return Buffer.from(maskBytes(this.#set, Buffer.from(text))).toString();
  }
}

/** A message as one line: what breaks lines in JSON is white space there. */
function lineOf(message: Uint8Array): Uint8Array {
  const line = Buffer.alloc(message.length + 1, lineFeed);
  line.set(message);
  for (let at = line.indexOf(lineFeed); at < message.length; at = line.indexOf(lineFeed, at)) line[at] = space;
  return line;
}
