import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { podState, readyPod } from "../../lib/pod-forward.ts";
import type { Forward } from "../../lib/tunnel.ts";
import { openTunnel } from "../../lib/tunnel.ts";
import { freePort } from "../../lib/free-port.ts";

/** Returns a forward to an HTTP server that responds to all requests. The forward waits 50 ms before it connects. */
async function farEnd(): Promise<Forward> {
  const server = createServer((_, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return async (local) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const remote = connect(port, "127.0.0.1");
    local.pipe(remote).pipe(local);
    local.on("close", () => remote.destroy());
  };
}

function get(url: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => {
        resolve({ status: response.statusCode, body });
      });
    });
    call.on("error", reject);
    call.end();
  });
}

test("keeps data that is sent before the remote end is connected", async () => {
  const tunnel = await openTunnel(await freePort(), await farEnd(), () => undefined);
  expect(await get(tunnel.url)).toEqual({ status: 200, body: "hello" });
});

test("reports a failed connection to the client and to the caller", async () => {
  const reports: string[] = [];
  const fail: Forward = () => Promise.reject(new Error("no pod"));
  const tunnel = await openTunnel(await freePort(), fail, (message) => reports.push(message));
  expect(await get(tunnel.url)).toEqual({ status: 503, body: "Can't reach Grafana: no pod\n" });
  expect(reports).toEqual(["no pod"]);
});

test("rejects a port that another run uses, with a solution", async () => {
  const port = await freePort();
  await openTunnel(port, await farEnd(), () => undefined);
  await expect(openTunnel(port, await farEnd(), () => undefined)).rejects.toThrow(
    `127.0.0.1:${port} is in use, so the tunnel to Grafana can't be opened. Wait until another run on this computer has finished`,
  );
});

test("settle closes open connections, also idle ones, and later connections still work", async () => {
  const port = await freePort();
  const tunnel = await openTunnel(port, await farEnd(), () => undefined);
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  await get(tunnel.url);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  tunnel.settle();
  await closed;
  expect(await get(tunnel.url)).toMatchObject({ status: 200 });
  // The test's timeout is shorter than the tunnel's idle timeout. Otherwise the test would also pass if only the idle
  // timeout closed the connection.
}, 10_000);

test("keeps neither the program running nor idle connections open, after settle only for 2 s", async () => {
  const listeners = () => process.getActiveResourcesInfo().filter((what) => what === "TCPServerWrap").length;
  const port = await freePort();
  const before = listeners();
  const accepted: Socket[] = [];
  const tunnel = await openTunnel(
    port,
    (local) => {
      accepted.push(local);
      return Promise.resolve();
    },
    () => undefined,
  );
  expect(listeners()).toBeLessThanOrEqual(before);
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    const closed = once(socket, "close");
    await expect.poll(() => accepted.length).toBe(1);
    return { socket: accepted.pop(), closed };
  };
  const early = await open();
  expect(early.socket?.timeout).toBe(20_000);
  early.socket?.emit("timeout");
  await early.closed;
  tunnel.settle();
  const late = await open();
  expect(late.socket?.timeout).toBe(2_000);
  late.socket?.emit("timeout");
  await late.closed;
});

test("accepts no connections from other computers", async () => {
  const port = await freePort();
  await openTunnel(port, await farEnd(), () => undefined);
  // Another address of this computer; a listener on all addresses would accept the connection.
  const socket = connect(port, "127.0.0.2");
  await expect(once(socket, "connect")).rejects.toThrow("ECONNREFUSED");
});

test("waits for a ready pod", async () => {
  const states = [[], [{ name: "a", ready: false }], [{ name: "a", ready: true }]];
  const list = () => Promise.resolve(states.shift() ?? []);
  expect(await readyPod({ namespace: "monitoring", podLabels: { app: "grafana" } }, list, 1000, 1)).toBe("a");
});

test("if no pod is ready, reports the pods' states and a command for details", async () => {
  const list = () => Promise.resolve([{ name: "a", ready: false }]);
  await expect(
    readyPod({ namespace: "monitoring", podLabels: { app: "grafana" } }, list, 10),
  ).rejects.toThrow("found: a (not ready). For details, run: kubectl --namespace monitoring describe pods");
});

test("a pod that is being deleted is not ready, although its condition still says so", () => {
  const status = { conditions: [{ type: "Ready", status: "True" }] };
  const pod = (metadata: object) => ({ metadata: { name: "grafana-1", ...metadata }, status });
  expect(podState(pod({}))).toEqual({ name: "grafana-1", ready: true });
  const deletionTimestamp = new Date();
  const deleted = { name: "grafana-1", ready: false, why: "being deleted" };
  expect(podState(pod({ deletionTimestamp }))).toEqual(deleted);
});

test.each([
  [
    "it can't be scheduled",
    {
      conditions: [
        {
          type: "PodScheduled",
          status: "False",
          reason: "Unschedulable",
          message: "0/2 nodes are available",
        },
      ],
    },
    "Unschedulable: 0/2 nodes are available",
  ],
  [
    "its image can't be pulled",
    { containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff", message: "not found" } } }] },
    "ImagePullBackOff: not found",
  ],
  ["the reason is unknown", {}, "not ready"],
])("reports why a pod is not ready: %s", async (_, status, why) => {
  const pod = podState({ metadata: { name: "grafana-1" }, status } as Parameters<typeof podState>[0]);
  const list = () => Promise.resolve([pod]);
  await expect(
    readyPod({ namespace: "monitoring", podLabels: { app: "grafana" } }, list, 10),
  ).rejects.toThrow(`found: grafana-1 (${why}). For details, run: kubectl`);
});
