import assert from "node:assert/strict";
import { Refusal } from "@sallyport/contracts";
import { Places } from "./places.ts";
import { bodyOf } from "./tool-body.ts";
import type { ToolRequest } from "./tool-request.ts";

const mebibyte = 1024 * 1024;

describe("the body of a tool's request", () => {
  const request = (bytes: number, piece = 64 * 1024): ToolRequest =>
    ({
      hasBody: true,
      declaredLength: undefined,
      wantBody: () => undefined,
      body: (async function* () {
        for (let sent = 0; sent < bytes; sent += piece) yield new Uint8Array(Math.min(piece, bytes - sent));
      })(),
    }) as unknown as ToolRequest;
  const open = (places: Places) => places.take({ rootSid: "tree" });

  it("is refused where its tree has all the room for bodies in use, before it is judged", async () => {
    const places = new Places({ bytes: 1.5 * mebibyte });
    const first = open(places);
    await bodyOf(request(mebibyte), undefined, mebibyte, first);
    const limited = (error: unknown) => error instanceof Refusal && error.reason === "RATE_LIMITED";
    await assert.rejects(bodyOf(request(mebibyte), undefined, mebibyte, open(places)), limited);
    first[Symbol.dispose]();
    await bodyOf(request(mebibyte), undefined, mebibyte, open(places));
  });

  it("takes room for its beginning alone where it is long, and gives it back as it goes on", async () => {
    const places = new Places({ bytes: 1.5 * mebibyte });
    const body = await bodyOf(request(5 * mebibyte), undefined, 8 * mebibyte, open(places));
    assert.ok("upload" in body);
    let length = 0;
    for await (const piece of body.upload.pieces) length += piece.length;
    assert.equal(length, 5 * mebibyte);
    await bodyOf(request(mebibyte), undefined, mebibyte, open(places));
  });
});
