import { create } from "@bufbuild/protobuf";
import { UseUploadRequestSchema } from "@sallyport/contracts";
import type { Session } from "@sallyport/sdk";

/** What an upload's head says of the body. */
export interface Declared {
  readonly size: number | bigint;
  readonly sha256: Uint8Array;
  readonly method?: string;
}

/** An upload to the target `uploads`, whose pieces follow its head as they come. @param path below `/v1/upload/` */
export async function upload(
  session: Session,
  signal: AbortSignal | undefined,
  path: string,
  pieces: () => AsyncIterable<Uint8Array>,
  { size, sha256, method = "POST" }: Declared,
): Promise<void> {
  const operation = { case: "http" as const, value: { method, path: `/v1/upload/${path}` } };
  const parts = async function* () {
    const value = { use: { target: "uploads", operation }, size: BigInt(size), sha256 };
    yield create(UseUploadRequestSchema, { part: { case: "head", value } });
    for await (const data of pieces()) yield create(UseUploadRequestSchema, { part: { case: "data", value: data } });
  };
  for await (const _ of session.broker.useUpload(parts(), signal === undefined ? {} : { signal }));
}
