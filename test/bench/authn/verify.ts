import { Gate, TrustFeed } from "@sallyport/service";
import { callWith, deployAgent, FakeAuthn, fakeHost, htu, memories, request } from "../../../packages/service/src/gate/gate.fixture.ts";
import { type Figure, median, rounded, type Settings } from "../figure.ts";

const callsPerRun = 4_000;

/** Microseconds of CPU that one warm verification takes, with a proof or with a client certificate: credential, proof, revocation, lease. */
export async function authnVerify({ runs, say }: Settings): Promise<Figure[]> {
  const authn = new FakeAuthn();
  const host = fakeHost(authn);
  const feed = await TrustFeed.follow(host);
  while (!feed.lease().held) await new Promise((resolve) => setTimeout(resolve, 5));
  const memory = memories("bench", 10_000_000);
  const gate = new Gate(host, feed, memory);
  const bound = await deployAgent();
  const certified = await deployAgent({ binding: { kind: "mtls", thumbprint: bound.maker.thumbprint } });
  const certificate = { kind: "certificate", der: new Uint8Array(), thumbprint: bound.maker.thumbprint, address: "127.0.0.1:1" } as const;
  bound.maker.remember(memory.held.nonces.current(host.clock.monotonic()));
  const contenders = {
    // A proof is good once: all are made before the clock starts.
    dpop: () =>
      Array.from({ length: callsPerRun }, () => {
        const dpop = bound.maker.prove({ htu, request, credential: bound.token }, host.clock.now());
        return callWith({ authorization: `DPoP ${bound.token}`, dpop }).call;
      }),
    mtls: () =>
      Array.from({ length: callsPerRun }, () => callWith({ authorization: `Bearer ${certified.token}` }, "agents-mtls", certificate).call),
  };
  const took: Record<keyof typeof contenders, number[]> = { dpop: [], mtls: [] };
  for (let run = 0; run <= runs; run++) {
    for (const binding of ["dpop", "mtls"] as const) {
      const calls = contenders[binding]();
      const began = process.cpuUsage();
      for (const call of calls) await gate.authenticate(call);
      const { user, system } = process.cpuUsage(began);
      // The first is for V8 to compile what it sees run.
      if (run > 0) took[binding].push((user + system) / callsPerRun);
    }
    if (run > 0)
      say(`run ${run} of ${runs}: ${took.dpop.at(-1)?.toFixed(1)} µs with a proof, ${took.mtls.at(-1)?.toFixed(1)} µs with a certificate`);
  }
  await feed.stop();
  const nothing = { p50: null, p99: null, peer: null, peerValue: null, ratio: null };
  return (["dpop", "mtls"] as const).map((binding) => ({
    name: "authn.verify",
    binding,
    value: rounded(median(took[binding])),
    unit: "µs" as const,
    ...nothing,
    runs: took[binding].map((value) => ({ value: rounded(value), peerValue: null })),
  }));
}
