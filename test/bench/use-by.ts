import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { UseRequestSchema, UseResponseSchema } from "@sallyport/contracts";
import { useRequest } from "@sallyport/sdk";
import { certifiedChainOf, chainOf } from "./chain.ts";
import type { Installed } from "./installed.ts";
import { rawGrpc } from "./raw-grpc.ts";

/** Someone who uses a secret again and again. */
export interface User {
  /** One use, to its end. @throws where it does not end well */
  use(): Promise<void>;
  close(): void;
}

const operation = { target: "orders-read", path: "/v1/orders/42" };

/** An agent so many deep, by the SDK, which signs a proof for each call. */
export async function useByProof({ endpoints, workloadToken }: Installed, depth: number): Promise<User> {
  const agent = await chainOf(depth, endpoints, await workloadToken());
  return {
    use: async () => {
      const answer = await agent.use(operation);
      if (answer.status !== 200) throw new Error(`the target answered ${answer.status}`);
      await answer.text();
    },
    close: () => agent.close(),
  };
}

/** An agent so many deep with a client certificate, as cheaply as a broker can be called; several brokers in turns. */
export async function useByCertificate({ endpoints, agentsMtls, workloadToken }: Installed, depth: number): Promise<User> {
  const { token, client } = await certifiedChainOf(depth, endpoints, await workloadToken());
  const headers = { authorization: `Bearer ${token}` };
  const doors = agentsMtls.map((address) =>
    rawGrpc(address, "/sallyport.broker.v1.BrokerService/Use", { ca: endpoints.ca ?? "", client, headers }),
  );
  const request = Buffer.from(toBinary(UseRequestSchema, create(UseRequestSchema, useRequest(operation))));
  let turn = 0;
  return {
    use: async () => {
      const door = doors[turn++ % doors.length] as (typeof doors)[number];
      const parts = (await door.call(request)).map((message) => fromBinary(UseResponseSchema, message).part);
      const [head, end] = [parts.at(0), parts.at(-1)];
      if (head?.case !== "head" || head.value.status !== 200 || end?.case !== "end") throw new Error("the use did not end well");
    },
    close: () => {
      for (const door of doors) door.close();
    },
  };
}
