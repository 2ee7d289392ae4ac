import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadService } from "./grpc.ts";
import { Attachments, startCsiNode, type CsiNode, type CsiNodeOptions, type Mounts } from "./index.ts";

/** Records mounts, as a map of target to source, instead of mounting. */
class FakeMounts implements Mounts {
  readonly mounted = new Map<string, string>();
  failure: string | undefined;
  mount(source: string, target: string, { readOnly }: { readOnly: boolean }): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(new Error(this.failure));
    this.mounted.set(target, readOnly ? `${source} read-only` : source);
    return Promise.resolve();
  }
  unmount(target: string): Promise<void> {
    this.mounted.delete(target);
    return Promise.resolve();
  }
}

const zone = "us-central1-a";
const handle = (disk: string): string => `projects/calico-test/zones/${zone}/disks/${disk}`;

let dir: string;
let open: (() => unknown)[];

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-csi-"));
  open = [];
  await mkdir(path.join(dir, "disks", zone, "prometheus"), { recursive: true });
  await mkdir(path.join(dir, "disks", "us-east1-b", "prometheus"), { recursive: true });
});

afterEach(async () => {
  for (const close of open) await close();
  await rm(dir, { recursive: true });
});

function optionsFor(nodeName: string, mounts: Mounts): CsiNodeOptions {
  return {
    nodeName,
    zone,
    socketPath: path.join(dir, nodeName, "csi.sock"),
    registrationSocketPath: path.join(dir, nodeName, "reg.sock"),
    disksDir: path.join(dir, "disks"),
    attachments: new Attachments(path.join(dir, "attachments")),
    mounts,
  };
}

type Call = (method: string, request: object) => Promise<Record<string, unknown>>;

/** Returns a function that calls a service's methods as a kubelet does. */
function connect(file: string, service: string, socket: string): Call {
  const client = new (loadService(file, service))(`unix://${socket}`, grpc.credentials.createInsecure());
  open.unshift(() => {
    client.close();
  });
  return (method, request) =>
    new Promise((resolve, reject) => {
      const call = client[method] as (
        request: object,
        done: (error: Error | null, answer: unknown) => void,
      ) => void;
      call.call(client, request, (error, answer) => {
        if (error) reject(error);
        else resolve(answer as Record<string, unknown>);
      });
    });
}

async function start(nodeName: string): Promise<{ mounts: FakeMounts; node: Call; driver: CsiNode }> {
  const mounts = new FakeMounts();
  const options = optionsFor(nodeName, mounts);
  const driver = await startCsiNode(options);
  open.push(() => driver.close());
  return { mounts, driver, node: connect("csi.proto", "csi.v1.Node", options.socketPath) };
}

const target = (pod: string): string => `/var/lib/kubelet/pods/${pod}/mount`;
const publish = (disk: string, pod: string, more = {}): object => ({
  volumeId: handle(disk),
  targetPath: target(pod),
  volumeCapability: { mount: {} },
  ...more,
});

test("registers with its name and endpoint", async () => {
  const refusals: (string | undefined)[] = [];
  const options = { ...optionsFor("node-1", new FakeMounts()), kubeletSocketPath: "/csi/csi.sock" };
  const driver = await startCsiNode({ ...options, onRegistered: (error) => refusals.push(error) });
  open.push(() => driver.close());
  const registration = connect(
    "registration.proto",
    "pluginregistration.Registration",
    options.registrationSocketPath,
  );
  expect(await registration("getInfo", {})).toEqual({
    type: "CSIPlugin",
    name: "pd.csi.storage.gke.io",
    endpoint: "/csi/csi.sock",
    supportedVersions: ["1.0.0"],
  });
  await registration("notifyRegistrationStatus", { pluginRegistered: false, error: "no" });
  await registration("notifyRegistrationStatus", { pluginRegistered: true });
  expect(refusals).toEqual(["no", undefined]);
  const identity = connect("csi.proto", "csi.v1.Identity", options.socketPath);
  expect(await identity("getPluginInfo", {})).toMatchObject({ name: "pd.csi.storage.gke.io" });
  expect(await identity("probe", {})).toEqual({ ready: { value: true } });
});

test("returns the node's name and zone", async () => {
  const { node } = await start("node-1");
  expect(await node("nodeGetInfo", {})).toMatchObject({
    nodeId: "node-1",
    accessibleTopology: { segments: { "topology.gke.io/zone": zone } },
  });
});

test("publishes and unpublishes a disk idempotently", async () => {
  const { node, mounts } = await start("node-1");
  await node("nodePublishVolume", publish("prometheus", "a"));
  await node("nodePublishVolume", publish("prometheus", "a"));
  expect([...mounts.mounted]).toEqual([[target("a"), path.join(dir, "disks", zone, "prometheus")]]);
  const unpublish = { volumeId: handle("prometheus"), targetPath: target("a") };
  await node("nodeUnpublishVolume", unpublish);
  await node("nodeUnpublishVolume", unpublish);
  expect(mounts.mounted.size).toBe(0);
});

test("mounts a read-only volume read-only", async () => {
  const { node, mounts } = await start("node-1");
  await node("nodePublishVolume", publish("prometheus", "a", { readonly: true }));
  expect(mounts.mounted.get(target("a"))).toMatch(/ read-only$/);
});

test("rejects a disk on a second node until it is detached from the first", async () => {
  const first = await start("node-1");
  const second = await start("node-2");
  await first.node("nodePublishVolume", publish("prometheus", "a"));
  await first.node("nodePublishVolume", publish("prometheus", "b"));
  await first.node("nodeUnpublishVolume", { volumeId: handle("prometheus"), targetPath: target("a") });
  await expect(second.node("nodePublishVolume", publish("prometheus", "c"))).rejects.toMatchObject({
    code: grpc.status.FAILED_PRECONDITION,
    details: expect.stringContaining(
      `RESOURCE_IN_USE_BY_ANOTHER_RESOURCE): The disk resource '${handle("prometheus")}' is already being used by 'projects/calico-test/zones/${zone}/instances/node-1'`,
    ) as string,
  });
  expect(second.mounts.mounted.size).toBe(0);
  await first.node("nodeUnpublishVolume", { volumeId: handle("prometheus"), targetPath: target("b") });
  await second.node("nodePublishVolume", publish("prometheus", "c"));
  expect(second.mounts.mounted.has(target("c"))).toBe(true);
});

test("attaches a disk to one of several nodes that publish it at the same time", async () => {
  const nodes = await Promise.all(["node-1", "node-2", "node-3"].map(start));
  const calls = nodes.map(({ node }, index) => node("nodePublishVolume", publish("prometheus", `${index}`)));
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
});

test("detaches the disks of a deleted node", async () => {
  const first = await start("node-1");
  const second = await start("node-2");
  await first.node("nodePublishVolume", publish("prometheus", "a"));
  const attachments = new Attachments(path.join(dir, "attachments"));
  await attachments.keepOnly(["node-1"]);
  expect(await attachments.holder(zone, "prometheus")).toEqual({ node: "node-1", targets: [target("a")] });
  await attachments.forgetNode("node-1");
  await second.node("nodePublishVolume", publish("prometheus", "b"));
  expect(second.mounts.mounted.size).toBe(1);
  await attachments.keepOnly(["node-1"]);
  expect(await attachments.holder(zone, "prometheus")).toBeUndefined();
});

test("detaches the disk and returns the error when a mount fails", async () => {
  const first = await start("node-1");
  const second = await start("node-2");
  first.mounts.failure = "no room";
  await expect(first.node("nodePublishVolume", publish("prometheus", "a"))).rejects.toMatchObject({
    code: grpc.status.INTERNAL,
    details: "no room",
  });
  await second.node("nodePublishVolume", publish("prometheus", "b"));
});

test.each([
  [
    "a disk that does not exist",
    publish("absent", "a"),
    grpc.status.NOT_FOUND,
    /Could not find disk Key\{"absent", zone: "us-central1-a"\}.*disks\/absent' was not found/,
  ],
  [
    "a disk in another zone",
    publish("x", "a", { volumeId: "projects/calico-test/zones/us-east1-b/disks/prometheus" }),
    grpc.status.INVALID_ARGUMENT,
    /zones\/us-east1-b\/disks\/prometheus'. The disk and the instance must be in the same zone/,
  ],
  [
    "a malformed volume handle",
    publish("x", "a", { volumeId: "x" }),
    grpc.status.INVALID_ARGUMENT,
    /names no disk/,
  ],
  ["a path traversal", publish("..", "a"), grpc.status.INVALID_ARGUMENT, /names no disk/],
  [
    "an empty target path",
    publish("prometheus", "a", { targetPath: "" }),
    grpc.status.INVALID_ARGUMENT,
    /target path/,
  ],
  [
    "a block volume",
    publish("prometheus", "a", { volumeCapability: { block: {} } }),
    grpc.status.INVALID_ARGUMENT,
    /block/,
  ],
])("rejects %s", async (_what, request, code, details) => {
  const { node, mounts } = await start("node-1");
  await expect(node("nodePublishVolume", request)).rejects.toMatchObject({
    code,
    details: expect.stringMatching(details) as string,
  });
  expect(mounts.mounted.size).toBe(0);
});

test("replaces the socket of another driver and removes its own sockets on close", async () => {
  const options = optionsFor("node-1", new FakeMounts());
  await mkdir(path.dirname(options.socketPath), { recursive: true });
  const dead = new grpc.Server();
  await new Promise<void>((resolve) => {
    dead.bindAsync(`unix://${options.socketPath}`, grpc.ServerCredentials.createInsecure(), () => {
      resolve();
    });
  });
  const driver = await startCsiNode(options);
  dead.forceShutdown();
  await driver.close();
  expect(existsSync(options.socketPath)).toBe(false);
  expect(existsSync(options.registrationSocketPath)).toBe(false);
});

test("rejects a socket path that is too long or names a regular file", async () => {
  const options = optionsFor("node-1", new FakeMounts());
  const long = path.join(dir, "x".repeat(100), "csi.sock");
  await expect(startCsiNode({ ...options, socketPath: long })).rejects.toThrow(/at most 107 bytes/);
  const taken = path.join(dir, "file");
  await writeFile(taken, "mine");
  await expect(startCsiNode({ ...options, socketPath: taken })).rejects.toThrow(/is not a socket/);
});
