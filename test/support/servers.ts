export { describeWith, withOptions } from "./describe-with.ts";
export { type KafkaOptions, kafka } from "./servers/kafka.ts";
export { type KeycloakServer, keycloak } from "./servers/keycloak.ts";
export { kubernetes } from "./servers/kubernetes.ts";
export { moto } from "./servers/moto.ts";
export { type OpenbaoOptions, type OpenbaoServer, openbao } from "./servers/openbao.ts";
export { type OpenbaoCluster, openbaoCluster } from "./servers/openbao-cluster.ts";
export { type RedisOptions, redis } from "./servers/redis.ts";
export { type Finder, isSkipped, type OwnServer, type Server, type Skipped } from "./servers/server.ts";
