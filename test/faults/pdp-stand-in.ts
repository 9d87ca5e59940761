import { readFileSync } from "node:fs";
import { createSecureServer, constants as http2, type ServerHttp2Stream } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { CheckRequestSchema, CheckResponseSchema, Decision } from "@sallyport/contracts";

/** Something that listens where a pdp should be. */
export interface StandIn {
  /** Connections that it has taken. */
  connections(): number;
  stop(): Promise<void>;
}

/** One that speaks gRPC, with what it is to do from now on. */
export interface PdpStandIn extends StandIn {
  answer: Answer;
  /** Calls that it has read. */
  calls(): number;
}

/** What it does with a call whose request it has read. */
export type Answer = (stream: ServerHttp2Stream, request: Uint8Array) => void;

/** Speaks gRPC with the pdp's own key and certificate, and permits until it is told otherwise. @param keys the pdp's `keys` folder */
export async function standInForPdp(address: string, keys: string): Promise<PdpStandIn> {
  const read = (name: string) => readFileSync(join(keys, name));
  const server = createSecureServer({ key: read("pdp.key"), cert: read("pdp.crt"), ca: read("services-ca.crt"), requestCert: true });
  let calls = 0;
  server.on("stream", (stream: ServerHttp2Stream) => {
    const pieces: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    stream.once("end", () => {
      calls++;
      standIn.answer(stream, Buffer.concat(pieces).subarray(5));
    });
  });
  const standIn = { ...(await listening(server as unknown as Server, address)), calls: () => calls, answer: permission() };
  return standIn;
}

/** Takes connections and speaks neither TLS nor gRPC. */
export const standInForSocket = (address: string, answer: (socket: Socket) => void): Promise<StandIn> =>
  listening(createServer(answer), address);

async function listening(server: Server, address: string): Promise<StandIn> {
  const [host, port] = address.split(":") as [string, string];
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(Number(port), host, resolve));
  return {
    connections: () => connections,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const grpc = { ":status": 200, "content-type": "application/grpc+proto" };

/** A message in its gRPC frame. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** Bytes as the one message of an answer that is otherwise as it should be. */
export const answerBytes =
  (bytesFor: (request: Uint8Array) => Uint8Array): Answer =>
  (stream, request) => {
    stream.respond(grpc, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(framed(bytesFor(request)));
  };

/** A permission for every link that was asked, changed in one respect. */
export const permission = (change: MessageInitShape<typeof CheckResponseSchema> = {}): Answer =>
  answerBytes((request) => {
    const { chain } = fromBinary(CheckRequestSchema, request);
    const links = (chain?.links ?? []).map(({ id }) => ({ linkId: id, decision: Decision.ALLOW, determiningPolicies: ["any"] }));
    const response = { decision: Decision.ALLOW, reason: "ALLOWED", determiningPolicies: ["any"], policyVersion: "ab".repeat(32), links };
    return toBinary(CheckResponseSchema, create(CheckResponseSchema, { ...response, ...change }));
  });

/** Headers of an answer, and UNAVAILABLE behind them. */
export const unavailableAfterHeaders: Answer = (stream) => {
  stream.respond(grpc, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14", "grpc-message": "not now" }));
  stream.end();
};

/** The first half of a permission, and then the connection is reset. */
export const resetInTheMiddle: Answer = (stream) => {
  stream.respond(grpc);
  stream.write(Buffer.from("00000001000801", "hex"), () => setTimeout(() => stream.session?.destroy(), 50));
};

/** The first half of a permission, and then this call alone is reset. */
export const streamReset: Answer = (stream) => {
  stream.respond(grpc);
  stream.write(Buffer.from("00000001000801", "hex"), () => stream.close(http2.NGHTTP2_INTERNAL_ERROR));
};

/** The call is taken, and nothing comes. */
export const silence: Answer = () => undefined;

/** An answer begins, and its end never comes. */
export const silentAfterHeaders: Answer = (stream) => stream.respond(grpc);

/** A web server's page where an answer should be. */
export const webPage: Answer = (stream) => {
  stream.respond({ ":status": 200, "content-type": "text/html" });
  stream.end("<h1>It works!</h1>");
};
