import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Action, type Binding, DelegationService, RevocationService, TokenService } from "@sallyport/contracts";
import { newSessionId, ProofMaker } from "@sallyport/identity";
import { bytesOf, entry, htuOf, mayDelegate, reasonOf, refusalOf, Stage } from "./stage.ts";

const { issueTicket, redeemTicket } = DelegationService.method;
const { renew, whoAmI } = TokenService.method;

describe("attacks on tickets, delegation and chains", () => {
  let stage: Stage;
  const parent = ProofMaker.generate();
  let release: string;
  let releaseSid: string;
  let names = 0;
  const newName = () => `agent-${++names}`;

  before(async () => {
    stage = await Stage.open();
    const credential = await stage.signIn(parent, { agentName: "release", ceiling: mayDelegate });
    [release, releaseSid] = [credential.token, credential.sessionId];
  });
  after(() => stage.close());

  const ticketFor = (child: ProofMaker, more: object = {}) =>
    stage.proven(issueTicket, parent, { childThumbprint: child.thumbprint, agentName: newName(), ceiling: mayDelegate, ...more }, release);
  const redeem = (ticket: string, maker: ProofMaker, more: object = {}) => stage.proven(redeemTicket, maker, { ticket, ...more });
  const refused = async (expected: string, call: Promise<unknown>) => {
    const refusal = await refusalOf(call);
    assert.ok(reasonOf(refusal).startsWith(expected), `${reasonOf(refusal)}: ${refusal.message}`);
  };
  const revoke = (sessionId: string, by = parent, token = release) =>
    stage.proven(RevocationService.method.revoke, by, { subject: { case: "sessionId", value: sessionId } }, token);

  describe("a ticket", () => {
    const tickets: readonly [name: string, expected: string, attack: () => Promise<unknown>][] = [
      ["that never was", "TICKET_INVALID", () => redeem("A".repeat(43), ProofMaker.generate())],
      ["that is empty", "TICKET_INVALID", () => redeem("", ProofMaker.generate())],
      ["that is huge", "TICKET_INVALID", () => redeem("A".repeat(100_000), ProofMaker.generate())],
      [
        "with one character changed",
        "TICKET_INVALID",
        async () => {
          const child = ProofMaker.generate();
          const { ticket } = await ticketFor(child);
          return redeem(
            ticket.replace(/^./, (first) => (first === "A" ? "B" : "A")),
            child,
          );
        },
      ],
      [
        "with a space behind it",
        "TICKET_INVALID",
        async () => {
          const child = ProofMaker.generate();
          return redeem(`${(await ticketFor(child)).ticket} `, child);
        },
      ],
      [
        "stolen and shown with the thief's key",
        "TICKET_INVALID",
        async () => redeem((await ticketFor(ProofMaker.generate())).ticket, ProofMaker.generate()),
      ],
      [
        "shown by the parent that asked for it",
        "TICKET_INVALID",
        async () => redeem((await ticketFor(ProofMaker.generate())).ticket, parent),
      ],
      [
        "shown without a proof",
        "PROOF_REQUIRED",
        async () => stage.raw(redeemTicket, { ticket: (await ticketFor(ProofMaker.generate())).ticket }, {}),
      ],
      [
        "shown with a proof for another ticket",
        "PROOF_INVALID wrong-request",
        async () => {
          const child = ProofMaker.generate();
          const [one, other] = [await ticketFor(child), await ticketFor(child)];
          await stage.learnNonce(child);
          const dpop = child.prove({ htu: htuOf(redeemTicket), request: bytesOf(redeemTicket, { ticket: one.ticket }) });
          return stage.raw(redeemTicket, { ticket: other.ticket }, { dpop });
        },
      ],
      [
        "used as a credential",
        "UNAUTHENTICATED",
        async () => {
          const child = ProofMaker.generate();
          return stage.proven(whoAmI, child, {}, (await ticketFor(child)).ticket);
        },
      ],
      [
        "used as a subject token",
        "UNAUTHENTICATED",
        async () => {
          const child = ProofMaker.generate();
          const subjectTokenType = "urn:ietf:params:oauth:token-type:jwt";
          return stage.proven(TokenService.method.exchange, child, { subjectToken: (await ticketFor(child)).ticket, subjectTokenType });
        },
      ],
      [
        "that has run out",
        "TICKET_INVALID",
        async () => {
          const child = ProofMaker.generate();
          const { ticket } = await ticketFor(child, { ttlSeconds: 1 });
          await sleep(1_050);
          return redeem(ticket, child);
        },
      ],
      ["for longer than a minute", "INVALID_REQUEST", () => ticketFor(ProofMaker.generate(), { ttlSeconds: 61 })],
      ["for no key", "INVALID_REQUEST", () => ticketFor(ProofMaker.generate(), { childThumbprint: "" })],
      ["for what is no thumbprint", "INVALID_REQUEST", () => ticketFor(ProofMaker.generate(), { childThumbprint: "*" })],
      ["for a key and for anyone", "INVALID_REQUEST", () => ticketFor(ProofMaker.generate(), { unbound: true })],
      [
        "for anyone, where policy permits only bound ones",
        "DENIED_BY_POLICY",
        () => ticketFor(ProofMaker.generate(), { childThumbprint: "", unbound: true }),
      ],
      [
        "whose child was revoked before it came",
        "CREDENTIAL_REVOKED",
        async () => {
          const child = ProofMaker.generate();
          const { ticket, sessionId } = await ticketFor(child);
          await revoke(sessionId);
          return redeem(ticket, child);
        },
      ],
      [
        "with a binding of a later version",
        "INVALID_REQUEST",
        async () => {
          const child = ProofMaker.generate();
          return redeem((await ticketFor(child)).ticket, child, { binding: 99 as Binding });
        },
      ],
    ];
    for (const [name, expected, attack] of tickets) it(`${name}: ${expected}`, () => refused(expected, attack()));

    it("that somebody tried with another key is still its child's (benign twin)", async () => {
      const child = ProofMaker.generate();
      const { ticket, sessionId } = await ticketFor(child);
      await refused("TICKET_INVALID", redeem(ticket, ProofMaker.generate()));
      const { credential } = await redeem(ticket, child);
      assert.equal(credential?.sessionId, sessionId);
      assert.equal((await redeem(ticket, child)).credential?.sessionId, sessionId);
      await stage.proven(whoAmI, child, {}, credential?.token);
    });

    it("for anyone, shown by a second key: TICKET_INVALID, and the child is ended", async () => {
      const ci = ProofMaker.generate();
      const { token } = await stage.signIn(ci, { agentName: "ci", ceiling: mayDelegate }, { sub: "ci", groups: ["ci"] });
      const { ticket } = await stage.proven(issueTicket, ci, { unbound: true, agentName: "any", ceiling: mayDelegate }, token);
      const [first, second] = [ProofMaker.generate(), ProofMaker.generate()];
      const { credential } = await redeem(ticket, first);
      await refused("TICKET_INVALID", redeem(ticket, second));
      await refused("CREDENTIAL_REVOKED", stage.proven(renew, first, {}, credential?.token));
      await stage.proven(whoAmI, ci, {}, token);
    });
  });

  describe("a delegation", () => {
    const more: readonly [name: string, expected: string, order: object][] = [
      ["of an action that the parent has not", "DELEGATION_EXCEEDED", { ceiling: entry([Action.REVEAL]) }],
      ["of a secret beside the parent's", "DELEGATION_EXCEEDED", { ceiling: entry([Action.USE], ["stage/db"]) }],
      ["of a prefix that only begins alike", "DELEGATION_EXCEEDED", { ceiling: entry([Action.USE], ["production/*"]) }],
      ["of the folder itself", "DELEGATION_EXCEEDED", { ceiling: entry([Action.USE], ["prod"]) }],
      ["of everything", "DELEGATION_EXCEEDED", { ceiling: entry([Action.USE], ["*"]) }],
      [
        "of more beside what is allowed",
        "DELEGATION_EXCEEDED",
        { ceiling: { entries: [...entry([Action.USE]).entries, ...entry([Action.WRITE]).entries] } },
      ],
      ["of nothing, to be read as all", "INVALID_REQUEST", { ceiling: { entries: [] } }],
      ["without a ceiling, to be read as all", "INVALID_REQUEST", { ceiling: undefined }],
      ["of an action 0, to be read as any", "INVALID_REQUEST", { ceiling: entry([Action.UNSPECIFIED]) }],
      ["of a path that climbs", "INVALID_REQUEST", { ceiling: entry([Action.USE], ["prod/../stage/db"]) }],
      ["of a wildcard within a segment", "INVALID_REQUEST", { ceiling: entry([Action.USE], ["prod/o*"]) }],
      ["to a name with a slash: a grandchild's", "INVALID_REQUEST", { agentName: "a/b" }],
      ["to a name with a hash: another principal's", "INVALID_REQUEST", { agentName: "a#b" }],
      ["to a name of nothing", "INVALID_REQUEST", { agentName: "" }],
      ["to a name that policy forbids", "DENIED_BY_POLICY", { agentName: "forbidden" }],
    ];
    for (const [name, expected, order] of more)
      it(`${name}: ${expected}`, () => refused(expected, ticketFor(ProofMaker.generate(), order)));

    it("by an agent that may not delegate: DENIED_BY_POLICY", async () => {
      const leaf = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      const order = { childThumbprint: ProofMaker.generate().thumbprint, agentName: "x", ceiling: entry([Action.USE]) };
      await refused("DENIED_BY_POLICY", stage.proven(issueTicket, leaf.maker, order, leaf.credential.token));
    });

    it("deeper than is allowed: DELEGATION_TOO_DEEP", async () => {
      const two = await stage.delegate(parent, release, newName());
      const three = await stage.delegate(two.maker, two.credential.token, newName());
      const order = { childThumbprint: ProofMaker.generate().thumbprint, agentName: "four", ceiling: mayDelegate };
      await refused("DELEGATION_TOO_DEEP", stage.proven(issueTicket, three.maker, order, three.credential.token));
    });

    it("the benign twin passes: less, and exactly as much", async () => {
      await stage.delegate(parent, release, newName(), entry([Action.USE], ["prod/orders/*"], ["orders-api"]));
      await stage.delegate(parent, release, newName(), mayDelegate);
    });
  });

  describe("a chain", () => {
    it("whose child renews to more than it was given: DELEGATION_EXCEEDED", async () => {
      const child = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      await refused("DELEGATION_EXCEEDED", stage.proven(renew, child.maker, { ceiling: mayDelegate }, child.credential.token));
    });

    it("whose parent renews, and widens its child so: DELEGATION_EXCEEDED", async () => {
      const child = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      const { credential } = await stage.proven(renew, parent, {}, release);
      assert.ok(credential);
      await refused("DELEGATION_EXCEEDED", stage.proven(renew, child.maker, { ceiling: entry([Action.READ]) }, child.credential.token));
      const again = await stage.proven(renew, child.maker, {}, child.credential.token);
      assert.deepEqual(
        again.credential?.ceiling?.entries.map(({ actions }) => actions),
        [[Action.USE]],
      );
    });

    it("whose child revokes its parent: DENIED_BY_POLICY", async () => {
      const child = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      await refused("DENIED_BY_POLICY", revoke(releaseSid, child.maker, child.credential.token));
    });

    it("whose child revokes its sibling: DENIED_BY_POLICY", async () => {
      const child = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      const sibling = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      await refused("DENIED_BY_POLICY", revoke(sibling.sessionId, child.maker, child.credential.token));
      await stage.proven(whoAmI, sibling.maker, {}, sibling.credential.token);
    });

    it("whose child probes for sessions of others: the same words for one that is there and one that is not", async () => {
      const child = await stage.delegate(parent, release, newName(), entry([Action.USE]));
      const words = await Promise.all(
        [releaseSid, newSessionId()].map((sid) => refusalOf(revoke(sid, child.maker, child.credential.token))),
      );
      assert.equal(words[0]?.message, words[1]?.message);
    });

    it("that was ended in the middle: CREDENTIAL_REVOKED for renewal, delegation and what it delegated", async () => {
      const middle = await stage.delegate(parent, release, newName());
      const leaf = await stage.delegate(middle.maker, middle.credential.token, newName());
      await revoke(middle.sessionId);
      for (const { maker, credential } of [middle, leaf])
        await refused("CREDENTIAL_REVOKED", stage.proven(renew, maker, {}, credential.token));
      const order = { childThumbprint: ProofMaker.generate().thumbprint, agentName: "x", ceiling: mayDelegate };
      await refused("CREDENTIAL_REVOKED", stage.proven(issueTicket, middle.maker, order, middle.credential.token));
      await stage.proven(whoAmI, parent, {}, release);
    });

    it("that the client hands in itself, as act in its token, is never read", async () => {
      const maker = ProofMaker.generate();
      const { chain } = await stage.signIn(
        maker,
        {},
        { act: { sub: "corp/root", act: { sub: "corp/admin" } }, chain: [{ id: "corp/root" }] },
      );
      assert.deepEqual(
        chain?.links.map(({ id }) => id),
        ["corp/alice"],
      );
    });

    it("of a narrowed parent: the child's credential is CREDENTIAL_REVOKED, and renews inside the new ceiling only", async () => {
      const middle = await stage.delegate(parent, release, newName());
      const leaf = await stage.delegate(middle.maker, middle.credential.token, newName());
      await stage.proven(renew, middle.maker, { ceiling: entry([Action.READ]) }, middle.credential.token);
      const call = async () => reasonOf(await refusalOf(stage.proven(whoAmI, leaf.maker, {}, leaf.credential.token)));
      for (const end = performance.now() + 3_000; ; await sleep(50)) {
        const outcome = await call().catch(() => "");
        if (outcome === "CREDENTIAL_REVOKED narrowed") break;
        assert.ok(performance.now() < end, outcome);
      }
      await refused("DELEGATION_EXCEEDED", stage.proven(renew, leaf.maker, {}, leaf.credential.token));
      await stage.proven(renew, leaf.maker, { ceiling: entry([Action.READ]) }, leaf.credential.token);
    });
  });
});
