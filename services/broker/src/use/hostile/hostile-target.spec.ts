import assert from "node:assert/strict";
import zlib from "node:zlib";
import { MaskSet, placeholderFor, scanFor } from "@sallyport/masking";
import { noDerivation } from "../../masks/derivation.ts";
import { entriesOf } from "../../masks/issued-entries.ts";
import { basicPair } from "../../targets/inject/header.ts";
import { parseOperation } from "../../targets/operation.ts";
import { relay } from "../relay.ts";
import { Traffic } from "../traffic.ts";
import { type HostileAnswer, readers, ways } from "./ways.fixture.ts";

const pem =
  "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIB\nAQQgx1Zq7kP9tRwx42LmNoPqRsTuVwXyZ0123456789ab\n-----END PRIVATE KEY-----\n";
/** What a tree was issued: fields, and what was derived from them. */
const fields = new Map(
  Object.entries({
    token: "Zq7/kP+9=tRw-x42_~",
    password: "p@$$ \"w'rd\\%2F<&é\u{1f511}>",
    user: "svc-orders-9931",
    key: pem,
    pin: "90210042117733",
    jwt: "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJvcmRlcnMifQ.q83vEjRWeJCrze8SNFZ4kKvN7xI0Vniq",
    signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
  }).map(([field, value]) => [field, Buffer.from(value)]),
);
const basic = Buffer.from(basicPair({ user: "svc-orders-9931", password: "password" }, fields));
const set = MaskSet.compile([
  ...entriesOf("prod/orders/api", fields, noDerivation),
  { placeholder: placeholderFor("prod/orders/api", "basic"), value: basic },
]);
const values = [...fields].map(([field, value]) => [field, value.toString()] as const).concat([["basic", basic.toString()]]);

const packers: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  "deflate, raw": (bytes) => zlib.deflateRawSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
  "gzip, br": (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes)),
};

/** All that the agent gets of an answer, as one text; the body's bytes come in these chunks. */
async function received(answer: HostileAnswer, chunks: Iterable<Uint8Array>, coding?: string): Promise<Buffer> {
  const headers: [string, string][] = [...(answer.headers ?? [])];
  if (answer.type !== undefined) headers.push(["content-type", answer.type]);
  if (coding !== undefined) headers.push(["content-encoding", coding.replace(", raw", "")]);
  const parts = relay(
    {
      status: 200,
      headers,
      body: (async function* () {
        yield* chunks;
      })(),
      trailers: () => answer.trailers ?? [],
      discard: () => {},
    },
    set,
    "uid",
    new AbortController().signal,
    new Traffic(parseOperation("t", undefined, { method: "GET", path: "/", headers: [], body: Buffer.alloc(0) })),
  );
  const out: Uint8Array[] = [];
  for (;;) {
    const { value, done } = await parts.next();
    if (value?.kind === "data") out.push(Buffer.from(value.bytes));
    else
      for (const line of value?.kind === "head" ? value.headers : (value?.trailers ?? []))
        out.push(Buffer.from(`${line.join(": ")}\r\n`, "latin1"));
    if (done) return Buffer.concat(out);
  }
}
const bodyOf = (answer: HostileAnswer) => Buffer.from(answer.body ?? "");
function* pieces(bytes: Uint8Array, ...cuts: number[]) {
  for (const [from, to] of [0, ...cuts].map((cut, at, all) => [cut, all[at + 1] ?? bytes.length] as const)) yield bytes.subarray(from, to);
}

/** The texts of events put together by field, as who reads the stream does. */
function reassembled(bytes: Buffer): Buffer {
  const texts: string[] = [];
  for (const line of bytes.toString().split("\n")) {
    const data = line.replace(/^data: ?/u, "");
    try {
      const strings = Object.values(flat(JSON.parse(data)));
      texts.push(...strings);
    } catch {
      texts.push(data);
    }
  }
  return Buffer.from(texts.join(""));
}
const flat = (value: unknown): string[] =>
  typeof value === "string" ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(flat) : [];

/** What may not be found: the value, and each line of it that is long enough to be one. */
const forbidden = (value: string) => [value, ...value.split("\n").filter((line) => line.length >= 16 && !line.startsWith("-----"))];

function assertHidden(value: string, got: Buffer, message: string): void {
  for (const part of forbidden(value)) {
    assert.deepEqual(scanFor(part, got), [], message);
    assert.deepEqual(scanFor(part, reassembled(got)), [], `${message}, put together`);
  }
}

describe("a hostile target", () => {
  it("has its codings read where they come in two lines, and two types refused", async () => {
    const [, value] = values[0]!;
    const packed = zlib.brotliCompressSync(Buffer.from(value));
    const coded: [string, string][] = [
      ["content-encoding", "identity"],
      ["content-encoding", "br"],
    ];
    assert.equal((await received({ headers: coded }, [packed])).toString(), "[sallyport:prod/orders/api#token]");
    const typed = (...types: string[]) => types.map((type): [string, string] => ["content-type", type]);
    await assert.rejects(received({ headers: typed("application/json", "text/event-stream") }, []), { reason: "RESPONSE_UNINSPECTABLE" });
    assert.equal((await received({ headers: typed("text/plain", "text/plain") }, [Buffer.from("fine")])).toString().slice(-4), "fine");
  });

  it(`knows ${Object.keys(ways).length} ways to get a value back`, () => assert.ok(Object.keys(ways).length >= 40));

  for (const [name, way] of Object.entries(ways)) {
    it(`gets none back ${name}: whole, split at every byte, and compressed`, async () => {
      for (const [field, value] of values) {
        const answer = way(value);
        const body = bodyOf(answer);
        const whole = await received(answer, [body]);
        assertHidden(value, whole, `${field} ${name}`);
        assertHidden(value, Buffer.from((readers[name] ?? String)(whole.toString())), `${field} ${name}, read`);
        const step = field === "token" || process.env.SLOW === "1" ? 1 : 1 + (body.length >> 3);
        for (let cut = 1; cut < body.length; cut += step) {
          assert.ok((await received(answer, pieces(body, cut))).equals(whole), `${field} ${name}, split at ${cut}`);
        }
        assert.ok(
          (
            await received(
              answer,
              Array.from(body, (byte) => Uint8Array.of(byte)),
            )
          ).equals(whole),
          `${field} ${name}, byte by byte`,
        );
        for (const [coding, pack] of Object.entries(packers)) {
          const packed = pack(body);
          const cut = packed.length >> 1;
          assert.ok((await received(answer, pieces(packed, cut), coding)).equals(whole), `${field} ${name} in ${coding}`);
        }
      }
    }).timeout(60_000);
  }

  it("is heard where what it writes in these ways is no secret: byte for byte", async () => {
    const other = "Zq7/kP+9=tRw-x4_2~ svc-orders-9932 90210042117734 p@$$ \"w'rd\\%2F<&è\u{1f511}>";
    for (const [name, way] of Object.entries(ways)) {
      const answer = way(other);
      const body = bodyOf(answer);
      const got = await received(answer, pieces(body, body.length >> 1));
      assert.ok(got.includes(body), name);
      for (const [header, value] of [...(answer.headers ?? []), ...(answer.trailers ?? [])]) {
        assert.ok(got.includes(Buffer.from(`${header}: ${value}\r\n`, "latin1")), name);
      }
    }
  });
});
