import { createHmac } from "node:crypto";
import type { DataHash, DataRules } from "@sallyport/masking/detect";
import type { HttpTarget } from "@sallyport/service";

type Settings = NonNullable<HttpTarget["dataMasking"]>;
type Detect = typeof import("@sallyport/masking/detect");

/** A target's data-masking rules, compiled. */
export class TargetData {
  readonly name: string;
  readonly detect: Detect;
  readonly responses: DataRules | undefined;
  readonly requests: DataRules | undefined;
  /** A body that is no JSON passes, although members are named. */
  readonly passOther: boolean;
  readonly #scope: Settings["hash"];
  readonly #key: Uint8Array;

  /** @param key 32 bytes, the same for every broker of the installation */
  constructor(name: string, settings: Settings, rulesOf: (sets: readonly string[]) => DataRules, detect: Detect, key: Uint8Array) {
    this.name = name;
    this.detect = detect;
    this.responses = settings.responses && rulesOf(settings.responses);
    this.requests = settings.requests && rulesOf(settings.requests);
    this.passOther = settings.otherBodies === "pass";
    this.#scope = settings.hash;
    this.#key = key;
  }

  /** Hashes for one tree of agents. */
  hashOf(rootSid: string): DataHash {
    const scope = this.#scope === "tree" ? `tree ${rootSid}` : "installation";
    return new this.detect.DataHash(createHmac("sha256", this.#key).update(scope).digest());
  }
}
