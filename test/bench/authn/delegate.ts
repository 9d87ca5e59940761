import { DelegationService, TokenService } from "@sallyport/contracts";
import { ProofMaker } from "@sallyport/identity";
import { type Figure, type Settings, throughput } from "../figure.ts";
import { alternating } from "../load.ts";
import { ceiling, type InstalledAuthn } from "./installed-authn.ts";

const subjectTokenType = "urn:ietf:params:oauth:token-type:jwt";

/** As many parents of as many principals, so that no tree grows beyond what one has. */
const parents = 200;

/** Delegations per second, ticket and redemption, one after the other: `p50` is what one takes. */
export async function authnDelegate(authn: InstalledAuthn, settings: Settings): Promise<Figure> {
  const pool = await Promise.all(Array.from({ length: parents }, (_, n) => signIn(authn, `bench-delegate-${n}`)));
  let count = 0;
  const delegate = async () => {
    const parent = pool[count++ % pool.length] as (typeof pool)[number];
    const child = ProofMaker.generate();
    child.remember(parent.nonce);
    const order = { childThumbprint: child.thumbprint, agentName: `child-${count}`, ceiling };
    const { ticket } = await authn.proven(DelegationService.method.issueTicket, parent.maker, order, parent.token);
    await authn.proven(DelegationService.method.redeemTicket, child, { ticket });
  };
  const runs = await alternating({ ...settings, concurrency: 1 }, { delegate });
  return throughput({ name: "authn.delegate", peer: "", skipped: `nobody has the like; state in ${authn.state}` }, runs.delegate ?? [], []);
}

/** An agent's session, its key, and a nonce of authn's that its children may use, too. */
export async function signIn(authn: InstalledAuthn, subject: string) {
  const maker = new NotingMaker();
  const request = { subjectToken: await authn.workloadToken(subject), subjectTokenType, agentName: "release", ceiling };
  const { credential } = await authn.proven(TokenService.method.exchange, maker.maker, request);
  return { maker: maker.maker, token: credential?.token ?? "", sid: credential?.sessionId ?? "", nonce: maker.nonce };
}

/** A maker of proofs that tells the nonce it was given. */
class NotingMaker {
  readonly maker = ProofMaker.generate();
  nonce = "";

  constructor() {
    const remember = this.maker.remember.bind(this.maker);
    this.maker.remember = (nonce, peer) => {
      this.nonce = nonce;
      remember(nonce, peer);
    };
  }
}
