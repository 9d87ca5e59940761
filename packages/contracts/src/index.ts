export * from "./code.ts";
export * from "./gen/google/rpc/error_details_pb.ts";
export * from "./gen/google/rpc/status_pb.ts";
export {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "./gen/grpc/health/v1/health_pb.ts";
export {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
  ServerReflectionResponseSchema,
} from "./gen/grpc/reflection/v1/reflection_pb.ts";
export * from "./gen/sallyport/audit/v1/audit_pb.ts";
export * from "./gen/sallyport/authn/v1/authn_pb.ts";
export * from "./gen/sallyport/authn/v1/feed_pb.ts";
export * from "./gen/sallyport/broker/v1/broker_pb.ts";
export * from "./gen/sallyport/chain/v1/chain_pb.ts";
export * from "./gen/sallyport/policy/v1/policy_pb.ts";
export * from "./printable.ts";
export * from "./reason.ts";
export * from "./refusal.ts";
export * from "./reveal-binding.ts";
export * from "./wire-error.ts";
