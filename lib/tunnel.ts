import { createServer } from "node:net";
import type { Socket } from "node:net";

/** Connects an accepted connection to the remote end. Resolves when data can flow. */
export type Forward = (local: Socket) => Promise<void>;

/** A listener on 127.0.0.1 that forwards its connections to a remote end, e.g. Grafana's pod. */
export interface Tunnel {
  /** URL of the listener, e.g. "http://127.0.0.1:33000". */
  readonly url: string;
  /**
   * Closes all open connections. Later connections, which the engine needs for deletions, are closed after 2 s without
   * data.
   */
  settle(): void;
}

/**
 * Idle timeout in ms of connections that are opened before `settle` is called, i.e. before all resources in Grafana
 * exist. If one of them fails, `settle` is never called, and without this timeout idle connections would keep the
 * program running.
 */
const IDLE_MS = 20_000;
/** Idle timeout in ms of connections that are opened after a call of {@link Tunnel.settle}. */
const SETTLED_IDLE_MS = 2_000;

/**
 * Listens on a port of 127.0.0.1. The listener doesn't keep the program running. A connection does, until it is closed
 * or its idle timeout ends.
 *
 * @param port - a fixed port, so that the URL stays the same in each run
 * @param forward - called for each connection; if it fails, the client gets the error message as HTTP 503
 * @param report - called with the message of each failure
 * @param target - name of the remote end, for error messages
 * @throws Error if the port is in use, because two runs on one computer must not reach each other's Grafana
 */
export function openTunnel(
  port: number,
  forward: Forward,
  report: (message: string) => void,
  target = "Grafana",
): Promise<Tunnel> {
  const open = new Set<Socket>();
  let idle = IDLE_MS;
  // Connections are paused until the remote end is connected, so that no data is lost.
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
    `127.0.0.1:${port} is in use, so the tunnel to Grafana can't be opened. Wait until another run on this computer ` +
      `has finished, or set another port: pulumi config set --path grafana.tunnelPort ${port + 1}`,
    { cause },
  );
}

/** Returns the message of an error. A WebSocket reports an event with a message instead of an Error. */
function messageOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "message" in error) return String(error.message);
  return String(error);
}

function unavailable(target: string, message: string): string {
  const body = `Can't reach ${target}: ${message}\n`;
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`;
}
