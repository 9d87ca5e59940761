import { metrics } from "@opentelemetry/api";
import { DelegationService, FeedService, RevocationService } from "@sallyport/contracts";
import { type Credential, type CredentialKeys, ProofMaker, verifyCredential } from "@sallyport/identity";
import { GrpcChannel, type Host, systemClock, TrustFeed } from "@sallyport/service";
import { pino } from "pino";
import { peersClientCredentials } from "../../../packages/service/src/keys/tls.ts";
import { type Figure, median, rounded, type Settings } from "../figure.ts";
import { signIn } from "./delegate.ts";
import { ceiling, type InstalledAuthn } from "./installed-authn.ts";

const replicas = 4;
const perRun = 40;

/** Milliseconds from a revocation's answer until every one of four replicas knows of it; less than none where they knew before. */
export async function authnRevoke(authn: InstalledAuthn, { runs, say }: Settings): Promise<Figure> {
  const followed = await Promise.all(Array.from({ length: replicas }, () => follow(authn)));
  const medians: number[] = [];
  const all: number[] = [];
  try {
    const parent = await signIn(authn, "bench-revoke");
    for (let run = 1; run <= runs; run++) {
      const took: number[] = [];
      for (let n = 0; n < perRun; n++)
        took.push(
          ...(await revokeOne(
            authn,
            parent,
            followed.map(({ feed }) => feed),
          )),
        );
      medians.push(median(took));
      all.push(...took);
      say(`run ${run} of ${runs}: revoked at four replicas after ${median(took).toFixed(2)} ms at the median`);
    }
  } finally {
    for (const { stop } of followed) await stop();
  }
  all.sort((one, other) => one - other);
  const at = (part: number) => rounded(all[Math.min(all.length - 1, Math.floor(all.length * part))] as number);
  const nothing = { peer: null, peerValue: null, ratio: null };
  const measured = medians.map((value) => ({ value: rounded(value), peerValue: null }));
  return { name: "authn.revoke", value: rounded(median(medians)), unit: "ms", p50: at(0.5), p99: at(0.99), ...nothing, runs: measured };
}

async function revokeOne(
  authn: InstalledAuthn,
  parent: Awaited<ReturnType<typeof signIn>>,
  feeds: readonly TrustFeed[],
): Promise<number[]> {
  const child = ProofMaker.generate();
  const order = { childThumbprint: child.thumbprint, agentName: "short-lived", ceiling };
  const { ticket } = await authn.proven(DelegationService.method.issueTicket, parent.maker, order, parent.token);
  const { credential } = await authn.proven(DelegationService.method.redeemTicket, child, { ticket });
  const dead = verified(credential?.token ?? "", authn, feeds[0] as TrustFeed);
  const known = feeds.map((feed) => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const unsubscribe = feed.onRevoked(() => {
      if (feed.revocations.revokes(dead) === undefined) return;
      unsubscribe();
      resolve(performance.now());
    });
    return promise;
  });
  const subject = { case: "sessionId" as const, value: dead.sid };
  await authn.proven(RevocationService.method.revoke, parent.maker, { subject, reason: "" }, parent.token);
  const answered = performance.now();
  return (await Promise.all(known)).map((at) => Math.max(0, at - answered));
}

function verified(token: string, { audience }: InstalledAuthn, { jwks }: TrustFeed): Credential {
  const verification = verifyCredential(token, { keys: jwks as CredentialKeys, issuer: audience, audience, now: Date.now() });
  if (verification.kind === "refused") throw new Error(verification.sentence);
  return verification.credential;
}

/** One replica of a broker, as far as the feed goes. */
async function follow({ peers, dataDir }: InstalledAuthn) {
  const channel = new GrpcChannel(peers, {
    credentials: peersClientCredentials(dataDir, "demo.internal", "broker", "authn"),
    options: { "grpc.ssl_target_name_override": "localhost" },
  });
  const client = channel.client(FeedService);
  const telemetry = { meter: metrics.getMeter("bench") };
  const host = { role: "broker", clock: systemClock, log: pino({ level: "silent" }), telemetry, peers: { client: () => client } };
  const feed = await TrustFeed.follow(host as unknown as Host);
  for (const end = Date.now() + 10_000; !feed.lease().held; await new Promise((resolve) => setTimeout(resolve, 20)))
    if (Date.now() > end) throw new Error("a replica got no lease");
  return {
    feed,
    stop: async () => {
      await feed.stop();
      channel.close();
    },
  };
}
