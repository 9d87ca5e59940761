import { printable, Refusal } from "@sallyport/contracts";
import { type GcpStore as GcpConfig, resolveReference } from "@sallyport/service";
import { importPKCS8, SignJWT } from "jose";
import type { TokenRequest } from "../access-token.ts";

interface Key {
  readonly client_email: string;
  readonly private_key: string;
  readonly token_uri: string;
}

/** A token for Google's APIs by a service account's key (RFC 7523 §2.1). @throws Refusal INVALID_REQUEST where it is no such key */
export async function serviceAccountRequest(store: string, auth: GcpConfig["auth"]): Promise<TokenRequest> {
  const setting = `stores.${store}.auth.serviceAccountKey`;
  const { client_email: email, private_key: pem, token_uri: url } = keyOf(resolveReference(auth.serviceAccountKey, setting), setting);
  const assertion = await new SignJWT({ scope: "https://www.googleapis.com/auth/cloud-platform" })
    .setProtectedHeader({ alg: "RS256", typ: "JWT" })
    .setIssuer(email)
    .setAudience(url)
    .setIssuedAt()
    .setExpirationTime("10m")
    .sign(await importPKCS8(pem, "RS256"));
  return { url, form: { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion } };
}

function keyOf(text: string, setting: string): Key {
  try {
    const key = JSON.parse(text) as Partial<Key>;
    const url = new URL(String(key.token_uri));
    if (typeof key.client_email === "string" && typeof key.private_key === "string" && ["https:", "http:"].includes(url.protocol))
      return { client_email: key.client_email, private_key: key.private_key, token_uri: url.href };
  } catch {
    // Its message would quote the key.
  }
  throw new Refusal("INVALID_REQUEST", `${printable(setting)}: this is not the JSON key of a service account.`);
}
