import assert from "node:assert/strict";
import { AccessState, Refusal } from "@sallyport/contracts";
import { waitForAccess } from "./wait-for-access.ts";

describe("waiting for people", () => {
  let asked: number[];
  beforeEach(() => {
    asked = [];
  });
  const brokerThat = (...answers: (AccessState | Refusal)[]) =>
    ({
      waitForAccess: async ({ timeoutSeconds }: { timeoutSeconds: number }) => {
        asked.push(timeoutSeconds);
        const answer = answers.shift() ?? AccessState.PENDING;
        if (answer instanceof Refusal) throw answer;
        return { accessRequest: { state: answer } };
      },
    }) as never;

  it("ends when the request is granted", async () => {
    await waitForAccess(brokerThat(AccessState.PENDING, AccessState.GRANTED), "id", 60_000);
    assert.ok(asked.every((seconds) => seconds <= 55));
  });

  it("says how else it ended", async () => {
    await assert.rejects(waitForAccess(brokerThat(AccessState.REJECTED), "id", 1_000), { reason: "APPROVAL_REJECTED" });
    for (const state of [AccessState.EXPIRED, AccessState.SPENT, AccessState.UNSPECIFIED]) {
      await assert.rejects(waitForAccess(brokerThat(state), "id", 1_000), { reason: "APPROVAL_EXPIRED" });
    }
  });

  it("gives up in time, and names what to wait for again", async () => {
    const waiting = waitForAccess(brokerThat(), "the-id", 0);
    await assert.rejects(
      waiting,
      (error) => error instanceof Refusal && error.reason === "APPROVAL_REQUIRED" && error.metadata.access_request_id === "the-id",
    );
    assert.deepEqual(asked, [0]);
  });

  it("outlasts a broker that stops or is away for a while", () => {
    const gone = new Refusal("TARGET_UNAVAILABLE", "Nobody there.");
    const stopping = new Refusal("CANCELLED", "Stopping.", { retryAfterMs: 1 });
    return waitForAccess(brokerThat(gone, stopping, AccessState.GRANTED), "id", 60_000);
  });

  it("does not outlast a no", () =>
    assert.rejects(waitForAccess(brokerThat(new Refusal("CREDENTIAL_REVOKED", "Ended.")), "id", 60_000), { reason: "CREDENTIAL_REVOKED" }));
});
