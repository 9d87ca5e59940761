// AWS's own client for S3, with keys that are good for nothing: the broker signs.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";

const s3 = new S3Client({
  endpoint: `${process.env.SALLYPORT_TARGETS}s3`,
  region: "us-east-1",
  forcePathStyle: true,
  credentials: { accessKeyId: "unused", secretAccessKey: "unused" },
  requestChecksumCalculation: "WHEN_REQUIRED",
  maxAttempts: 1,
});
const at = { Bucket: "orders", Key: "2026/a b.txt" };
const body = `line one\n${"x".repeat(300_000)}`;
await s3.send(new CreateBucketCommand({ Bucket: "orders" }));
await s3.send(new PutObjectCommand({ ...at, Body: body, ContentType: "text/plain", Metadata: { note: "mine" } }));
const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: "orders" }));
const got = await s3.send(new GetObjectCommand(at));
const same = (await got.Body.transformToString()) === body;
const refused = await s3.send(new DeleteObjectCommand(at)).catch(({ $metadata }) => $metadata.httpStatusCode);
console.log(JSON.stringify({ keys: Contents.map(({ Key }) => Key), same, note: got.Metadata?.note, refused }));
