import { createServer } from "node:net";
import type { Socket } from "node:net";

/** Connects one accepted connection with the far end; resolves when bytes can flow. */
export type Forward = (local: Socket) => Promise<void>;

/** A listener on 127.0.0.1 whose connections are forwarded. */
export interface Tunnel {
  /** What to connect to, e.g. "http://127.0.0.1:33000". */
  readonly url: string;
  /** Says that the work is done: open connections are closed, later ones (of deletions) don't stay. */
  settle(): void;
}

/** How long a connection may be silent while there is work, in ms: it ends a run whose work failed. */
const IDLE_MS = 20_000;
/** The same when the work is done, in ms. */
const SETTLED_IDLE_MS = 2_000;

/**
 * Listens on a port of 127.0.0.1. Neither the listener nor a silent connection keeps the program alive.
 *
 * @param port - fixed, so that the URL stays the same from run to run
 * @param forward - called for each connection; when it fails, the client gets its message as HTTP 503
 * @param report - told of each failure
 * @param target - what is at the far end, for the words of a failure
 * @throws Error when the port is taken: two runs on one machine must not end up in each other's Grafana
 */
export function openTunnel(
  port: number,
  forward: Forward,
  report: (message: string) => void,
  target = "Grafana",
): Promise<Tunnel> {
  const open = new Set<Socket>();
  let idle = IDLE_MS;
  // Paused, so that nothing is lost until the far end is there.
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(idle, () => socket.destroy());
    forward(socket).then(
      () => socket.resume(),
      (error: unknown) => {
        const message = messageOf(error);
        report(message);
        socket.end(unavailable(target, message));
      },
    );
  });
  server.unref();

  const tunnel: Tunnel = {
    url: `http://127.0.0.1:${port}`,
    settle() {
      idle = SETTLED_IDLE_MS;
      for (const socket of open) socket.destroy();
    },
  };
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(error.code === "EADDRINUSE" ? portTaken(port, error) : error);
    });
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => {
      resolve(tunnel);
    });
  });
}

function portTaken(port: number, cause: Error): Error {
  return new Error(
    `127.0.0.1:${port} is taken, so there is no way to Grafana: is another run going on on this machine? ` +
      `Wait for it, or set another port: pulumi config set --path grafana.tunnelPort ${port + 1}`,
    { cause },
  );
}

/** A WebSocket's failure comes as an event with a message, not as an Error. */
function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}

function unavailable(target: string, message: string): string {
  const body = `No way to ${target}: ${message}\n`;
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`;
}
