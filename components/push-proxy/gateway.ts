/** The Pushgateway behind the proxy. */
import { connect } from "node:net";
import { ACCEPT } from "./exposition.ts";
import { send, stream, upstream, type Response } from "./http.ts";
import { CREDENTIALS, GATEWAY_PORT } from "./settings.ts";

/** The Pushgateway answers the largest push within a second. */
export const GATEWAY_TIMEOUT_MS = 10_000;

/** With all that it may hold, the Pushgateway writes its metrics within 3 s. */
const EXPOSITION_TIMEOUT_MS = 30_000;

/** The error of a push that was under way when the Pushgateway ended. */
export const ENDED = "the Pushgateway ended meanwhile";

export const gateway = upstream(GATEWAY_PORT);

/** The Authorization header that the Pushgateway asks for; undefined when it asks for none. */
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
 * Reads the Pushgateway's metrics line by line, in latin1, since all of them may be larger than the proxy's memory.
 *
 * @returns the status, and what follows the last end of a line
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
 * The number of the Pushgateway's process, counted by a connection that only its end closes; undefined while there is
 * none. A checkpoint counts only within one epoch: a Pushgateway that was restarted could store it without the pushes
 * before it.
 */
export function connectionEpoch(): number | undefined {
  return isConnected ? epoch : undefined;
}

/** Watches from now on whether the Pushgateway runs. `onStart` is called each time that it does. */
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
