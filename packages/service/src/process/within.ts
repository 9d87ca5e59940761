import type { DescService } from "@bufbuild/protobuf";
import type { Handlers } from "../handler.ts";
import type { Listener, ServeOptions } from "../host.ts";
import { Registry } from "../registry.ts";

/** In place of a door between services: what is served here is for this process alone. */
export class Within implements Listener {
  readonly registry = new Registry();

  serve<S extends DescService>(service: S, handlers: Handlers<S>, options: ServeOptions<S> = {}): this {
    this.registry.add(service, handlers, options);
    return this;
  }
}
