import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer as createTcpServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { forwardToPod } from "../../lib/pod-forward.ts";

// Loads the Kubernetes client before the tests. It takes a second, which would otherwise count towards a
// test's timeout.
await import("@kubernetes/client-node");

const POD = {
  metadata: { name: "grafana-0" },
  status: { conditions: [{ type: "Ready", status: "True" }] },
};

/** Starts a Kubernetes API with one ready pod, which accepts a port-forward after `ready` has resolved. */
async function fakeApi(ready: Promise<void>) {
  const far: { closed?: Promise<void>; socket?: Socket } = {};
  const server = createServer((_, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ kind: "PodList", apiVersion: "v1", items: [POD] }));
  });
  const opened = new Promise<void>((resolve) => {
    server.on("upgrade", (request, stream) => {
      const socket = stream as Socket;
      far.socket = socket;
      far.closed = new Promise((done) => {
        socket.once("close", () => {
          done();
        });
      });
      // Responds to a close frame by closing the connection.
      socket.on("data", (frame: Buffer) => {
        if (((frame[0] ?? 0) & 0x0f) === 8) socket.end();
      });
      void ready.then(() => {
        socket.write(handshake(String(request.headers["sec-websocket-key"])));
        resolve();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { far, opened, kubeconfig: kubeconfig(`http://127.0.0.1:${port}`) };
}

function handshake(key: string): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    "Sec-WebSocket-Protocol: v4.channel.k8s.io",
    "\r\n",
  ].join("\r\n");
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "k", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "k", user: {} }],
    contexts: [{ name: "k", context: { cluster: "k", user: "k" } }],
    "current-context": "k",
  });
}

/** Opens a connection on 127.0.0.1 and returns the server's end. The client stays connected until the test ends. */
async function accepted(): Promise<Socket> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const socket = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => {
    client.destroy();
  });
  // The client notices the end of the connection only if it reads.
  client.resume();
  return socket;
}

/** Returns a WebSocket message of a server on a channel of the Kubernetes API's port-forward. */
function message(channel: number, content: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(content)]);
  return Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
}

/** Forwards a local connection to the fake API's pod. */
async function forwarded() {
  const { far, opened, kubeconfig } = await fakeApi(Promise.resolve());
  const local = await accepted();
  local.resume();
  await forwardToPod({ kubeconfig, namespace: "monitoring", podLabels: {}, port: 3000 })(local);
  await opened;
  return { local, far };
}

test("closes the local connection when the one to the pod is closed", async () => {
  const { local, far } = await forwarded();
  const closed = once(local, "close");
  far.socket?.write(Buffer.from([0x88, 0]));
  await closed;
});

test("closes the local connection if the pod refuses it, so that the client gets an error instead of a timeout", async () => {
  const { local, far } = await forwarded();
  const closed = once(local, "close");
  // The first message of each channel is the port's number.
  far.socket?.write(message(1, "\xb8\x0b"));
  far.socket?.write(message(1, "error forwarding port 3000: connection refused"));
  await closed;
});

test.each(["before the pod is connected", "after the pod is connected"])(
  "when the client closes its connection %s, closes the one to the pod, which would otherwise keep the program running",
  async (when) => {
    let letOpen = (): void => undefined;
    const { far, opened, kubeconfig } = await fakeApi(new Promise((resolve) => (letOpen = resolve)));
    const local = await accepted();
    const forward = forwardToPod({ kubeconfig, namespace: "monitoring", podLabels: {}, port: 3000 });
    const done = forward(local);
    if (when === "after the pod is connected") letOpen();
    else {
      local.destroy();
      setTimeout(letOpen, 50);
    }
    await opened;
    await done;
    local.destroy();
    await expect(far.closed).resolves.toBeUndefined();
  },
);
