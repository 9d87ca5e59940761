import type { Server } from "node:net";
import type { Address } from "../config/index.ts";
import { cannotListen } from "./start-error.ts";

/**
 * @param setting where the address can be changed, for messages: `listen.edge`
 * @returns where it listens, the port chosen where 0 was asked for
 * @throws StartError
 */
export async function listenAt(server: Server, address: Address, setting: string): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen(address, setting, error)));
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  return { host: address.host, port: typeof bound === "object" && bound !== null ? bound.port : address.port };
}
