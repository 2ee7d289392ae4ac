/** The Pushgateway behind the proxy. */
import { connect } from "node:net";
import { ACCEPT } from "./exposition.ts";
import { send, stream, upstream, type Response } from "./http.ts";
import { CREDENTIALS, GATEWAY_PORT } from "./settings.ts";

/** Timeout of a request to the Pushgateway in ms. The largest push takes less than a second. */
export const GATEWAY_TIMEOUT_MS = 10_000;

/** Timeout in ms. At its size limit, the Pushgateway returns its metrics within 3 s. */
const EXPOSITION_TIMEOUT_MS = 30_000;

/** Error message if the Pushgateway exits during a push. */
export const ENDED = "the Pushgateway ended meanwhile";

export const gateway = upstream(GATEWAY_PORT);

/** Authorization header for the Pushgateway; undefined without a password. */
export const authorization =
  CREDENTIALS === "" ? undefined : `Basic ${Buffer.from(CREDENTIALS).toString("base64")}`;

/** Headers of the proxy's own requests to the Pushgateway. */
export function headersOf(more: Record<string, string> = {}): Record<string, string> {
  return authorization === undefined ? more : { ...more, authorization };
}

export async function ask(method: string, path: string, body = ""): Promise<Response> {
  const headers = headersOf({ "content-type": "text/plain" });
  return send(gateway, { method, path, headers, body: Buffer.from(body) }, GATEWAY_TIMEOUT_MS);
}

/**
 * Reads the Pushgateway's metrics line by line, because the whole response may not fit in the proxy's memory. Lines are
 * in latin1, i.e. one character per byte.
 *
 * @returns the status, and the text after the last newline
 */
export async function readExposition(
  onLine: (line: string) => void,
): Promise<{ status: number; rest: string }> {
  let rest = "";
  const request = {
    method: "GET",
    path: "/metrics",
    headers: headersOf({ accept: ACCEPT }),
    body: Buffer.alloc(0),
  };
  const { statusCode = 502 } = await stream(gateway, request, EXPOSITION_TIMEOUT_MS, (chunk) => {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  return { status: statusCode, rest };
}

let epoch = 0;
let isConnected = false;

/**
 * Returns a number that is different for each process of the Pushgateway (the epoch), or undefined while the
 * Pushgateway is down. The proxy keeps an idle connection open, which is closed only when the Pushgateway's process
 * exits, so each new connection means a new process. If the epoch changes while the proxy waits until a push is on the
 * disk, the wait fails (checkpoint.ts), because the new process may lack the push.
 */
export function connectionEpoch(): number | undefined {
  return isConnected ? epoch : undefined;
}

/** Starts to watch whether the Pushgateway runs. `onStart` is called after each start. */
export function watchEpoch(onStart: () => void): void {
  const socket = connect(gateway.port, gateway.host);
  socket.on("connect", () => {
    epoch += 1;
    isConnected = true;
    onStart();
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    isConnected = false;
    setTimeout(watchEpoch, 100, onStart);
  });
  socket.resume();
}
