/** Settings of the push proxy from the container's environment. */

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** Port that the proxy listens on. */
export const PORT = Number(env("PUSH_PROXY_PORT"));
/** Port of the Pushgateway on 127.0.0.1. */
export const GATEWAY_PORT = Number(env("PUSH_PROXY_GATEWAY_PORT"));
/** Port, on 127.0.0.1, of the canary: a second Pushgateway on which each push is tried first. */
export const CANARY_PORT = Number(env("PUSH_PROXY_CANARY_PORT"));
/** Path of the Pushgateway's program, which the proxy starts as the canary. */
export const CANARY_PROGRAM = env("PUSH_PROXY_CANARY_PROGRAM");
/** The Pushgateway's persistence file. */
export const PERSISTENCE_FILE = env("PUSH_PROXY_FILE");
/** Maximum bytes of a push's body, before decompression. */
export const MAX_PUSH_BYTES = Number(env("PUSH_PROXY_MAX_PUSH_BYTES"));
/** Maximum bytes of the Pushgateway's persistence file; see quota.ts. */
export const MAX_STORED_BYTES = Number(env("PUSH_PROXY_MAX_STORED_BYTES"));
/** Maximum time in ms for which a push waits for the Pushgateway. Then the push queue sends the push again. */
export const PUSH_TIMEOUT_MS = Number(env("PUSH_PROXY_TIMEOUT_SECONDS")) * 1000;
/** "USER:PASSWORD" that the Pushgateway requires. @default none */
export const CREDENTIALS = process.env.PUSH_PROXY_CREDENTIALS ?? "";
