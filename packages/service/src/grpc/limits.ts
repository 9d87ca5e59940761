/** The largest message, either way. A longer body travels as a stream of smaller ones. */
export const maxMessageBytes = 4 * 1024 * 1024;

const minute = 60_000;

/** Options of every server and channel; grpc-js adds up to 10 % jitter to the age. */
export const serverOptions = {
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes + 64 * 1024,
  "grpc.max_concurrent_streams": 1024,
  "grpc.max_metadata_size": 32 * 1024,
  "grpc.max_connection_age_ms": 10 * minute,
  "grpc.max_connection_age_grace_ms": 2 * minute,
  "grpc.keepalive_time_ms": minute,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc-node.max_session_memory": 64,
};

/** A peer that comes back must be found again well within a second or two; no retries, as a use may not be idempotent. */
export const channelOptions = {
  "grpc.max_receive_message_length": maxMessageBytes + 64 * 1024,
  "grpc.max_send_message_length": -1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1000,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.enable_retries": 0,
  "grpc.enable_http_proxy": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
};
