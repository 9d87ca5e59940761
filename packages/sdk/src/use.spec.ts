import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type BrokerService,
  Refusal,
  type UseRequest,
  type UseResponse,
  UseResponseSchema,
  type UseUploadRequest,
} from "@sallyport/contracts";
import type { CallOptions, Client } from "@sallyport/service/client";
import { unreachable } from "./unreachable.ts";
import { useSecret } from "./use.ts";

type Part = MessageInitShape<typeof UseResponseSchema>["part"];
const head: Part = { case: "head", value: { status: 200, headers: [{ name: "a", value: "b" }], eventUid: "e1" } };
const data = (text: string): Part => ({ case: "data", value: Buffer.from(text) });
const end: Part = { case: "end", value: { maskedValues: 3n, trailers: [{ name: "t", value: "u" }] } };
const connectionBroke = () => unreachable("127.0.0.1:7443")({ code: 14, details: "Connection dropped" } as never);
const nobodyThere = () => unreachable("127.0.0.1:7443")({ code: 14, details: "No connection established. Last error: refused" } as never);

describe("using a secret", () => {
  let sent: { use?: UseRequest; upload?: UseUploadRequest[]; options?: CallOptions | undefined };
  let cancelled: boolean;

  beforeEach(() => {
    sent = {};
    cancelled = false;
  });

  /** Answers with the parts, then ends or fails. */
  const brokerWith = (...parts: (Part | Refusal)[]) => {
    const answer = async function* (): AsyncGenerator<UseResponse> {
      try {
        for (const part of parts) {
          if (part instanceof Refusal) throw part;
          yield create(UseResponseSchema, { part } as MessageInitShape<typeof UseResponseSchema>);
        }
      } finally {
        cancelled = true;
      }
    };
    return {
      use: (request: UseRequest, options?: CallOptions) => {
        sent = { use: request, options };
        return answer();
      },
      useUpload: async function* (requests: AsyncIterable<UseUploadRequest>) {
        sent.upload = [];
        for await (const request of requests) sent.upload.push(request);
        for await (const response of answer()) yield { response };
      },
    } as unknown as Pick<Client<typeof BrokerService>, "use" | "useUpload">;
  };
  const operation = { target: "orders-api", path: "/v1/orders/1" };

  it("gives head, body and what was masked", async () => {
    const result = await useSecret(brokerWith(head, data("hello "), data("you"), end), operation);
    assert.equal(result.status, 200);
    assert.equal(result.eventUid, "e1");
    assert.equal(await result.text(), "hello you");
    assert.equal(result.maskedValues(), 3);
    assert.equal(result.trailers()[0]?.name, "t");
    assert.equal(sent.use?.operation.value?.method, "GET");
  });

  it("throws OUTCOME_UNKNOWN where the answer ends without its end", async () => {
    for (const parts of [[], [head], [head, data("half")]]) {
      await assert.rejects(async () => (await useSecret(brokerWith(...parts), operation)).text(), { reason: "OUTCOME_UNKNOWN" });
    }
  });

  it("throws OUTCOME_UNKNOWN where the connection breaks, before or after the head", async () => {
    for (const parts of [[connectionBroke()], [head, data("half"), connectionBroke()]]) {
      await assert.rejects(async () => (await useSecret(brokerWith(...parts), operation)).text(), { reason: "OUTCOME_UNKNOWN" });
    }
  });

  it("says that Sallyport is unavailable where nothing was sent", () =>
    assert.rejects(useSecret(brokerWith(nobodyThere()), operation), { reason: "TARGET_UNAVAILABLE", message: /127\.0\.0\.1:7443/ }));

  it("passes on why an answer was cut", async () => {
    const cut = brokerWith(head, data("half"), new Refusal("CREDENTIAL_REVOKED", "Ended."));
    const pieces: string[] = [];
    const result = await useSecret(cut, operation);
    await assert.rejects(
      async () => {
        for await (const piece of result.body) pieces.push(Buffer.from(piece).toString());
      },
      { reason: "CREDENTIAL_REVOKED" },
    );
    assert.deepEqual(pieces, ["half"]);
  });

  it("ends the call where its reader stops, or never begins", async () => {
    const stopped = await useSecret(brokerWith(head, data("a"), data("b"), end), operation);
    for await (const _ of stopped.body) break;
    assert.ok(cancelled);
    cancelled = false;
    await (await useSecret(brokerWith(head, data("a"), end), operation)).discard();
    assert.ok(cancelled);
  });

  it("refuses an answer that does not begin with its head", () =>
    assert.rejects(useSecret(brokerWith(data("a"), end), operation), { reason: "INTERNAL" }));

  it("sends a body over 1 MiB as a stream that declares its size and hash", async () => {
    const body = Buffer.alloc(1024 * 1024 + 7, "x");
    await (await useSecret(brokerWith(head, end), { ...operation, method: "POST", body })).text();
    const [first, ...rest] = sent.upload ?? [];
    assert.ok(first?.part.case === "head");
    assert.equal(first.part.value.size, BigInt(body.length));
    assert.deepEqual(Buffer.from(first.part.value.sha256), createHash("sha256").update(body).digest());
    assert.equal(first.part.value.use?.operation.value?.body.length, 0);
    assert.ok(Buffer.concat(rest.map(({ part }) => part.value as Uint8Array)).equals(body));
  });

  it("sends a body of exactly 1 MiB inline", async () => {
    await useSecret(brokerWith(head, end), { ...operation, method: "POST", body: Buffer.alloc(1024 * 1024) });
    assert.equal(sent.use?.operation.value?.body.length, 1024 * 1024);
  });
});
