import type { Door } from "@sallyport/egress";
import type { Config } from "@sallyport/service";

/** Every listener of the installation that the configuration knows, and every place where it looks for its peers. */
export function ownDoors(config: Pick<Config, "listen" | "services">): Door[] {
  const services = Object.values(config.services);
  const listening = [config.listen, ...services.map(({ listen }) => listen)].flatMap((listen) => Object.values(listen));
  const peers = services.flatMap((service) => Object.values(service.peers).filter((peer) => peer !== undefined));
  return [...listening, ...peers].filter(({ port }) => port !== 0);
}
