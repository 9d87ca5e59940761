import assert from "node:assert/strict";
import type { Refusal } from "@sallyport/contracts";
import { loadSdk } from "./vendor-sdk.ts";

describe("a vendor's SDK", () => {
  it("that is not installed is asked for by name, with how to install it", async () => {
    const none = "@sallyport/there-is-no-such-package";
    const load = () => import(none);
    await assert.rejects(
      loadSdk("aws", "@aws-sdk/client-secrets-manager", load),
      (error: Refusal) =>
        error.reason === "INVALID_REQUEST" && /stores\.aws: .* npm install @aws-sdk\/client-secrets-manager/.test(error.message),
    );
  });

  it("that fails while it is loaded fails as it does", async () => {
    await assert.rejects(
      loadSdk("aws", "sdk", async () => {
        throw new TypeError("broken");
      }),
      TypeError,
    );
    assert.equal(await loadSdk("aws", "sdk", async () => 7), 7);
  });
});
