import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * A server on 127.0.0.1 that accepts no connection until `wake`: its backlog is full, so the kernel drops the packets of
 * new connections.
 */
export interface DeafServer {
  port: number;
  /** Lets the server accept connections. It responds to each with "hello". */
  wake(): void;
}

/** Starts a server that accepts no connection until `wake` is called. It stops at the end of the current test. */
export async function startDeafServer(): Promise<DeafServer> {
  const script = `
    const server = require("node:net").createServer((socket) => socket.on("error", () => {}).end("hello"));
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const [text] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(text.toString());
  child.kill("SIGSTOP");
  await fillQueue(port);
  return { port, wake: () => child.kill("SIGCONT") };
}

async function fillQueue(port: number): Promise<void> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (;;) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(300) });
      sockets.push(socket);
    } catch {
      socket.destroy();
      return;
    }
  }
}
