import type { DescService } from "@bufbuild/protobuf";
import type { Handlers, ServiceRole } from "./handler.ts";
import type { ServeOptions } from "./host.ts";

/** One service as registered at one door. */
export interface Served {
  readonly service: DescService;
  /** By the method's local name; their types were checked on registration. */
  readonly handlers: Readonly<Record<string, unknown>>;
  readonly roles: readonly ServiceRole[];
  /** Local names of methods whose calls end when draining begins. */
  readonly endless: ReadonlySet<string>;
}

/** What is served at one door, by full service name. */
export class Registry {
  readonly #served = new Map<string, Served>();

  add<S extends DescService>(service: S, handlers: Handlers<S>, options: ServeOptions<S>): void {
    if (this.#served.has(service.typeName)) throw new Error(`${service.typeName} is already served at this door`);
    this.#served.set(service.typeName, {
      service,
      handlers: handlers as Record<string, unknown>,
      roles: options.roles ?? [],
      endless: new Set(options.endless ?? []),
    });
  }

  get(typeName: string): Served | undefined {
    return this.#served.get(typeName);
  }

  get size(): number {
    return this.#served.size;
  }

  values(): Served[] {
    return [...this.#served.values()];
  }
}
