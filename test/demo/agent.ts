// One agent of the story: a process of its own with a key pair of its own. It enrols, then does what it is told, a line of
// JSON at a time; what is meant for an agent below goes on to it.
import { createInterface } from "node:readline";
import { Agent, Refusal } from "@sallyport/sdk";
import { otherBody, replayed, stolen } from "./attacks.ts";
import type { Command, Reply } from "./protocol.ts";

const root = process.argv[2] === "root";
const agent = root ? await signIn() : await Agent.enrol();
const children = new Map<string, { send(command: Command): void; sessionId: string }>();
const reply = (message: Reply) => process.stdout.write(`${JSON.stringify(message)}\n`);
reply({ id: 0, result: { ready: agent.id, sessionId: agent.sessionId } });

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  const [next, ...rest] = command.to;
  if (next !== undefined) children.get(next)?.send({ ...command, to: rest });
  else void obey(command);
}
agent.close();
// Whoever started this agent is gone: so that those below are not left behind, it goes too, and their input ends with it.
process.exit(0);

/** The first agent gets its workload's token on its standard input, as its platform would hand it over. */
async function signIn(): Promise<Agent> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return Agent.signIn(JSON.parse(line));
  }
  throw new Error("no token");
}

async function obey(command: Command): Promise<void> {
  try {
    reply({ id: command.id, result: await act(command) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    reply({ id: command.id, refusal: { reason: error.reason, sentence: error.message, metadata: error.metadata } });
  }
}

async function act({ id, action, args }: Command): Promise<unknown> {
  switch (action) {
    case "spawn": {
      const { child, sessionId } = await agent.spawn(process.execPath, [import.meta.filename], args);
      child.stdout?.setEncoding("utf8");
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      children.set(args.name, { sessionId, send: (sent) => child.stdin?.write(`${JSON.stringify(sent)}\n`) });
      const ready = Promise.withResolvers<unknown>();
      lines.on("line", (line) => {
        const message = JSON.parse(line) as Reply;
        if (message.id === 0) ready.resolve(message.result);
        else reply(message);
      });
      await ready.promise;
      return { sessionId, pid: child.pid };
    }
    case "use": {
      const answer = await agent.use(args);
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, text, maskedValues: answer.maskedValues(), eventUid: answer.eventUid };
    }
    case "stream": {
      const answer = await agent.use(args);
      let bytes = 0;
      for await (const piece of answer.body) {
        if (bytes === 0) reply({ id, event: "streaming" });
        bytes += piece.length;
      }
      return { bytes };
    }
    case "list":
      return agent.list();
    case "describe": {
      const secret = await agent.describe(args.secret);
      return {
        version: secret.version,
        fields: secret.fields.map(({ name, placeholder, fingerprint }) => ({ name, placeholder, fingerprint })),
      };
    }
    case "wait":
      return agent.waitForAccess(args.accessRequestId);
    case "delegate":
      return agent.delegate(args);
    case "approve":
      return agent.session.reviews.approve(args);
    case "token":
      return agent.session.credential.token;
    case "replayed-proof":
      return replayed(agent.session);
    case "proof-for-another-body":
      return otherBody(agent.session);
    case "stolen-token":
      return stolen(agent.session.endpoints, args.token);
    default:
      throw new Error(`no such action: ${action}`);
  }
}
