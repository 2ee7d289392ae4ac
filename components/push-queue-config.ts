import { ATTEMPT_TIMEOUT_SECONDS, MAX_HOLD_SECONDS, RECEIVED_HEADER } from "./push-proxy/limits.ts";

/** Arguments of pushQueueConfig. */
export interface PushQueueConfigArgs {
  /** Address to listen on. @default all addresses of the pod */
  listenAddress?: string;
  /** Port that clients push to. */
  port: number;
  /** Host and port of the push proxy. */
  server: { host: string; port: number };
}

/** Environment variable with the port of HAProxy's own metrics, at /metrics, and of its own health check. */
export const METRICS_PORT_VARIABLE = "METRICS_PORT";

/** Path of the push queue's health check, which returns 200 even if the Pushgateway is down. */
export const PUSH_QUEUE_HEALTH_PATH = "/-/push-queue/ready";

/** Maximum bytes of a body that is sent again if the connection to the push proxy breaks. */
export const MAX_RETRIED_BYTES = 128 * 2 ** 10;
/**
 * Size of HAProxy's buffer in bytes: a body of MAX_RETRIED_BYTES, and 16 KiB for the headers and HAProxy's own use.
 */
const BUFFER_BYTES = MAX_RETRIED_BYTES + 16 * 2 ** 10;
/** Maximum number of clients of one process. Up to BACKLOG more connections wait in the kernel. */
export const MAX_CLIENTS = 160;
/**
 * Maximum number of connections that wait in the kernel until HAProxy accepts them. The node's limit is 4,096.
 */
const BACKLOG = 1_024;
/**
 * Maximum number of concurrent pushes, and of concurrent reads, from one HAProxy process to the push proxy. A higher
 * number wouldn't speed up pushes, because the proxy tries them on its canary one at a time (push-proxy/canary.ts).
 */
const MAX_CONCURRENT = 32;
/**
 * Size of the kernel's receive buffer for a client, in bytes. The kernel allocates twice this size, for its own
 * records. By default, the buffer grows up to 32 MiB, which count towards the pod's memory limit.
 */
const RECEIVE_BUFFER_BYTES = 64 * 2 ** 10;
/** Number of retries. HAProxy waits 1 s after each refused connection, so the number is also a time in seconds. */
const RETRIES = MAX_HOLD_SECONDS;

/**
 * Returns the configuration of HAProxy 2.6 or newer (docs.haproxy.org/3.0/configuration.html). HAProxy holds a push
 * while the Pushgateway's pod is down, and sends the push again if the connection to the push proxy breaks.
 *
 * The server `push-proxy` has no health check: with one, HAProxy would immediately respond with 503 while the server is
 * down. Without one, HAProxy tries to connect for each request. At most MAX_CONCURRENT requests try to connect at the
 * same time; the others wait in FIFO order.
 *
 * Each connection has one request (`option httpclose`). Otherwise idle connections of clients would count towards
 * MAX_CLIENTS, and new clients would have to wait.
 */
export function pushQueueConfig({ listenAddress = "", port, server }: PushQueueConfigArgs): string {
  return `global
  maxconn ${MAX_CLIENTS + 16}
  nbthread 1
  tune.bufsize ${BUFFER_BYTES}
  tune.rcvbuf.client ${RECEIVE_BUFFER_BYTES}
  hard-stop-after ${MAX_HOLD_SECONDS + 30}s
  log stdout format raw local0

defaults
  mode http
  option abortonclose
  option httpclose
  timeout client 60s
  timeout http-request 60s
  timeout connect 3s

frontend pushes
  bind ${listenAddress}:${port}
  maxconn ${MAX_CLIENTS}
  backlog ${BACKLOG}
  log global
  option httplog
  option dontlognull
  option dontlog-normal
  option http-buffer-request
  option clitcpka
  monitor-uri ${PUSH_QUEUE_HEALTH_PATH}
  http-request set-header ${RECEIVED_HEADER} %[date]
  use_backend reads if METH_GET || { method OPTIONS }
  default_backend pushes

backend pushes
  timeout queue ${MAX_HOLD_SECONDS}s
  timeout server ${ATTEMPT_TIMEOUT_SECONDS}s
  retries ${RETRIES}
  retry-on conn-failure empty-response junk-response response-timeout 503
  http-error status 503 content-type text/plain string "Not stored within ${MAX_HOLD_SECONDS} s, push again: the Pushgateway does not respond\\n"
  http-error status 502 content-type text/plain string "Not stored, push again: the connection to the Pushgateway was cut off, and pushes of more than ${MAX_RETRIED_BYTES} bytes are not sent again\\n"
  server push-proxy ${server.host}:${server.port} maxconn ${MAX_CONCURRENT}

backend reads
  timeout queue 5s
  timeout server 60s
  retries 3
  http-error status 503 content-type text/plain string "The Pushgateway does not respond\\n"
  server push-proxy ${server.host}:${server.port} maxconn ${MAX_CONCURRENT}

frontend metrics
  bind "${listenAddress}:\${${METRICS_PORT_VARIABLE}}"
  maxconn 16
  monitor-uri ${PUSH_QUEUE_HEALTH_PATH}
  http-request use-service prometheus-exporter if { path /metrics }
  http-request return status 404
`;
}
