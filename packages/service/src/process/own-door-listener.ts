import type { Address } from "../config/index.ts";
import type { OwnDoor, OwnListener } from "../host.ts";

/** A place for one door whose protocol its service speaks itself; shut where nobody serves. */
export class OwnDoorListener implements OwnListener {
  readonly #address: Address;
  readonly #setting: string;
  #door: OwnDoor | undefined;

  constructor(address: Address, setting: string) {
    this.#address = address;
    this.#setting = setting;
  }

  serve(door: OwnDoor): this {
    if (this.#door !== undefined) throw new Error(`${this.#setting} is already served`);
    this.#door = door;
    return this;
  }

  get used(): boolean {
    return this.#door !== undefined;
  }

  /** @throws StartError */
  async open(): Promise<Address> {
    if (this.#door === undefined) throw new Error(`nobody serves at ${this.#setting}`);
    return this.#door.open(this.#address, this.#setting);
  }

  async drain(): Promise<void> {
    await this.#door?.drain();
  }

  close(): void {
    this.#door?.close();
  }
}
