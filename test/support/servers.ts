export { describeWith, withOptions } from "./describe-with.ts";
export { type KafkaOptions, kafka } from "./servers/kafka.ts";
export { type OpenbaoOptions, type OpenbaoServer, openbao } from "./servers/openbao.ts";
export { type RedisOptions, redis } from "./servers/redis.ts";
export { type Finder, isSkipped, type OwnServer, type Server, type Skipped } from "./servers/server.ts";
