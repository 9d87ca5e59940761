import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import zlib from "node:zlib";
import { Refusal } from "@sallyport/contracts";
import { encodingsOf, MaskSet, maskerFor, maskStream, placeholderFor, scanFor } from "@sallyport/masking";
import { inspectedBody } from "./packed/packed-body.ts";
import { decodedBody } from "./response-body.ts";

const VALUE = "Zq7kP9tRwx42";
const set = MaskSet.compile([{ placeholder: placeholderFor("prod/orders/api", "token"), value: Buffer.from(VALUE) }]);
const TOKEN = placeholderFor("prod/orders/api", "token");

async function* chunks(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function answered(bytes: Uint8Array, coding?: string, size = bytes.length || 1): Promise<Buffer> {
  const out: Uint8Array[] = [];
  for await (const each of maskStream(maskerFor(set, undefined), inspectedBody(decodedBody(chunks(bytes, size), coding), set))) {
    out.push(Uint8Array.from(each));
  }
  return Buffer.concat(out);
}
const uninspectable = (error: unknown) => error instanceof Refusal && error.reason === "RESPONSE_UNINSPECTABLE";

const packers: Readonly<Record<string, (bytes: Uint8Array) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};

describe("an answer's body", () => {
  it("is unpacked and masked in every coding, in every encoding of the value, wherever it is split", async () => {
    for (const [coding, pack] of Object.entries(packers)) {
      for (const { encoding, bytes } of encodingsOf(VALUE)) {
        const packed = pack(Buffer.concat([Buffer.from("<"), bytes, Buffer.from(">")]));
        for (const size of [1, 7, packed.length]) {
          assert.deepEqual(scanFor(VALUE, await answered(packed, coding, size)), [], `${encoding} in ${coding} by ${size}`);
        }
      }
    }
  }).timeout(60_000);

  it("is unpacked where packed twice, in several members, or without zlib's wrapping", async () => {
    const text = Buffer.from(`a ${VALUE} b`);
    assert.equal((await answered(zlib.brotliCompressSync(zlib.gzipSync(text)), "gzip, br", 3)).toString(), `a ${TOKEN} b`);
    const members = Buffer.concat([zlib.gzipSync(text.subarray(0, 7)), zlib.gzipSync(text.subarray(7))]);
    assert.equal((await answered(members, "gzip", 5)).toString(), `a ${TOKEN} b`);
    assert.equal((await answered(zlib.deflateRawSync(text), "deflate", 2)).toString(), `a ${TOKEN} b`);
  });

  it("passes byte for byte where it holds no value", async () => {
    const bytes = randomBytes(300_000);
    for (const [coding, pack] of Object.entries(packers)) assert.deepEqual(await answered(pack(bytes), coding, 10_000), bytes);
    assert.deepEqual(await answered(bytes, "identity", 10_000), bytes);
    assert.deepEqual(await answered(Buffer.alloc(0)), Buffer.alloc(0));
  });

  it("is refused where it is not what it says, breaks off, or is packed in an unknown way or too often", async () => {
    const gzip = zlib.gzipSync(`a ${VALUE} b`.repeat(50));
    for (const [bytes, coding] of [
      [Buffer.from(`plain ${VALUE}`), "gzip"],
      [gzip, "br"],
      [gzip.subarray(0, gzip.length - 12), "gzip"],
      [zlib.deflateSync(Buffer.from(VALUE)).subarray(0, 9), "deflate"],
      [zlib.zstdCompressSync(randomBytes(5000)).subarray(0, 4000), "zstd"],
      [zlib.brotliCompressSync(randomBytes(5000)).subarray(0, 4000), "br"],
      [Buffer.concat([gzip, Buffer.from(VALUE)]), "gzip"],
      [gzip, "compress"],
      [gzip, "aes128gcm"],
      [zlib.gzipSync(zlib.gzipSync(gzip)), "gzip, gzip, gzip"],
    ] as const) {
      await assert.rejects(answered(bytes, coding, 100), uninspectable, coding);
    }
  });

  it("is cut off where it is a bomb, without unpacking it all", async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(64 << 20));
    await assert.rejects(answered(bomb, "gzip", 1024), uninspectable);
    await assert.rejects(answered(zlib.gzipSync(bomb), "gzip, gzip", 1024), uninspectable);
    await assert.rejects(answered(bomb, undefined, 1024), uninspectable);
  }).timeout(60_000);
});

/** A zip file of these files, each deflated (APPNOTE 6.3 §4.3.7); its directory left out, as whoever reads it in order has no need of it. */
function zipOf(...files: Buffer[]): Buffer {
  return Buffer.concat(
    files.flatMap((file) => {
      const header = Buffer.alloc(30);
      header.writeUInt32LE(0x04034b50);
      header.writeUInt16LE(20, 4);
      header.writeUInt16LE(8, 8);
      header.writeUInt16LE(5, 26);
      header.writeUInt16LE(4, 28);
      return [header, Buffer.from("f.txt"), Buffer.alloc(4), zlib.deflateRawSync(file)];
    }),
  );
}

describe("an answer that is a packed file", () => {
  it("passes byte for byte when no value is in it", async () => {
    const bytes = Buffer.concat([randomBytes(100_000), Buffer.from("the order was paid\n".repeat(5000))]);
    for (const file of [zlib.gzipSync(bytes), zlib.zstdCompressSync(bytes), zlib.gzipSync(zlib.gzipSync(bytes))]) {
      for (const size of [1000, 65_536, file.length]) assert.deepEqual(await answered(file, undefined, size), file);
    }
    assert.deepEqual(await answered(Buffer.from([0x1f, 0x8b])), Buffer.from([0x1f, 0x8b]));
  });

  it("is refused when there is one, in any encoding, before any byte that ends it has passed", async () => {
    for (const { encoding, bytes } of encodingsOf(VALUE)) {
      for (const pack of [zlib.gzipSync, zlib.zstdCompressSync]) {
        await assert.rejects(answered(pack(Buffer.concat([Buffer.from("x "), bytes, Buffer.from(" y")]))), uninspectable, encoding);
      }
    }
    await assert.rejects(answered(zlib.gzipSync(zlib.zstdCompressSync(Buffer.from(VALUE)))), uninspectable);
  });

  it("is looked into wherever it begins: in multipart, behind other files, in a zip with several, split anywhere", async () => {
    const part = (file: Buffer) =>
      Buffer.concat([
        Buffer.from('--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n'),
        file,
        Buffer.from("\r\n--b--\r\n"),
      ]);
    const tar = (file: Buffer) => Buffer.concat([Buffer.alloc(512, "name\0"), file, Buffer.alloc(512 - (file.length % 512))]);
    const text = (value: string) => Buffer.from(`the ${value} of the release\n`.repeat(40));
    const files: Record<string, (text: Buffer) => Buffer> = {
      multipart: (each) => part(zlib.gzipSync(each)),
      tar: (each) => tar(zlib.zstdCompressSync(each)),
      "tar.gz in a tar.gz": (each) => zlib.gzipSync(tar(zlib.gzipSync(tar(each)))),
      zip: (each) => zipOf(Buffer.from("first, with nothing in it ".repeat(9)), each, randomBytes(50)),
      "zip in multipart": (each) => part(zipOf(each)),
      "gzip in a zip": (each) => zipOf(zlib.gzipSync(each)),
    };
    for (const [name, file] of Object.entries(files)) {
      const [secret, benign] = [file(text(VALUE)), file(text("notes"))];
      for (const size of [1, 61, secret.length]) {
        await assert.rejects(answered(secret, undefined, size), uninspectable, `${name} by ${size}`);
        assert.deepEqual(await answered(benign, undefined, size), benign, `${name} by ${size}`);
      }
      assert.deepEqual(await answered(zlib.brotliCompressSync(benign), "br"), benign, name);
    }
    const [encrypted, other] = [zipOf(text("notes")), zipOf(text("notes"))];
    encrypted[6] = 1;
    other[8] = 12;
    for (const unread of [encrypted, other]) await assert.rejects(answered(unread), uninspectable);
    const alike = Buffer.concat([Buffer.from("log: \x1f\x8b\x08\0 and \x28\xb5\x2f\xfd and PK\x03\x04", "latin1"), randomBytes(9000)]);
    alike[30] = 8;
    assert.deepEqual(await answered(alike.subarray(0, 20), undefined, 3), alike.subarray(0, 20), "what only looks like one passes");
  });

  it("is refused when it cannot be read: broken, nested too deep, or of a kind that is not known", async () => {
    const gzip = zlib.gzipSync(randomBytes(2000));
    await assert.rejects(answered(gzip.subarray(0, 1000)), uninspectable);
    await assert.rejects(answered(zlib.gzipSync(zlib.gzipSync(zlib.gzipSync("x")))), uninspectable);
    await assert.rejects(answered(Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), randomBytes(99)])), uninspectable);
    await assert.rejects(answered(Buffer.from("age-encryption.org/v1\n-> X25519 …")), uninspectable);
  });
});
