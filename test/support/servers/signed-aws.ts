import { freePort } from "../process/port.ts";
import { motoModules } from "../provision/moto.ts";
import { lacking, obtain } from "../provision/obtain.ts";
import { onPath } from "./on-path.ts";
import { type Finder, type OwnServer, own, type Skipped } from "./server.ts";

/** An emulated AWS that checks every signature, with a user who may do anything in S3. */
export interface SignedAws extends OwnServer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** For PYTHONPATH: AWS's own library for Python is among them. */
  readonly modules: string;
}

function missing(): string | undefined {
  const lacks = onPath("python3") === undefined ? "install Python 3" : lacking(motoModules);
  return lacks === undefined ? undefined : `no moto: ${lacks}`;
}

/** Calls that need no signature: those that make the user. */
const unsigned = 3;
const anybody = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=x";

export const signedAws: Finder<SignedAws> = Object.assign(
  async (): Promise<SignedAws | Skipped> => {
    const why = missing();
    if (why !== undefined) return { skipped: why };
    const modules = await obtain(motoModules);
    const port = await freePort();
    const address = `http://127.0.0.1:${port}`;
    const server = await own(address, () => ({
      name: "moto",
      command: "python3",
      args: ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)],
      env: { ...process.env, PYTHONPATH: modules, INITIAL_NO_AUTH_ACTION_COUNT: String(unsigned) },
      ready: async () => (await fetch(`${address}/moto-api/`).catch(() => undefined)) !== undefined,
    }));
    const iam = async (fields: Record<string, string>) => {
      const body = new URLSearchParams({ ...fields, UserName: "agent", Version: "2010-05-08" });
      return (await fetch(address, { method: "POST", headers: { authorization: anybody }, body })).text();
    };
    const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] };
    await iam({ Action: "CreateUser" });
    const key = await iam({ Action: "CreateAccessKey" });
    await iam({ Action: "PutUserPolicy", PolicyName: "all", PolicyDocument: JSON.stringify(policy) });
    const of = (tag: string) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(key)?.[1] ?? "";
    return { ...server, accessKeyId: of("AccessKeyId"), secretAccessKey: of("SecretAccessKey"), modules };
  },
  { missing },
);
