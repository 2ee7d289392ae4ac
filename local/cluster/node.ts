import { createHash } from "node:crypto";
import { mkdir, readdir, realpath, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Node, type V1NodeCondition } from "@kubernetes/client-node";
import { readJson, unlessAbsent, writeWhole } from "../files.ts";
import { isSeeded, seedContainerd } from "../images/index.ts";
import type { Cloud } from "./cloud.ts";
import { dnsAddress, kubeconfig, pkiDir, readCluster, type ClusterSpec } from "./control-plane.ts";
import { attachmentsOf } from "./disks.ts";
import { drainNode } from "./drain.ts";
import { killMachine, machineDir, removeMachine, startMachine, volumesBind } from "./machine.ts";
import { plugIn, readNetwork, routePods, unroutePods } from "./network.ts";
import { kubeletConfig, nodeUnits, writeNodeConfig } from "./node-config.ts";
import { Authority } from "./pki.ts";

/** A node as the cloud gives it to the cluster. */
export interface NodeSpec {
  name: string;
  /** Its address in the subnetwork. */
  address: string;
  /** Range of its pods, routed to it by the VPC. */
  podCidr: string;
  labels: Record<string, string>;
}

/** A node was Ready 10 s after its start on two busy cores; this is for slower machines. */
const readyTimeoutMs = 120_000;

/** Starts a node that holds every image and waits until it is Ready. Does nothing for what runs already with these images. */
export async function startNode(cloud: Cloud, node: NodeSpec): Promise<void> {
  const cluster = await readCluster(cloud);
  const network = await readNetwork(cloud);
  await writeNodeFiles(cloud, cluster, node);
  const containerdRoot = path.join(machineDir(cloud, node.name), "var/lib/containerd");
  const store = { dir: await realpath(cloud.imageStore) };
  // After an update there are other images. A node gets them only as it starts.
  if (!(await isSeeded(store, containerdRoot))) await killMachine(cloud, node.name);
  await seedContainerd(store, containerdRoot);
  const plug = plugIn(cloud, node.name, network, node.address);
  const now = Date.now();
  const started = await startMachine(cloud, {
    name: node.name,
    connect: plug.connect,
    setup: [
      ...plug.setup,
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"],
      // A pod has a route of its own. What is for one that is gone would go to the router and back for ever;
      // so its sender hears at once that nobody is there.
      ["ip", "route", "add", "unreachable", node.podCidr],
    ],
    binds: [
      volumesBind(cloud),
      { source: registrationDir(cloud, node.name), target: "/var/lib/kubelet/plugins_registry" },
    ],
    units: nodeUnits(cloud, node),
  });
  await routePods(cloud, node.podCidr, node.address);
  await waitUntilReady(cloud, node.name, started ? now : 0);
}

/** Takes a node away. With `drain`, its pods are evicted first, as a resize of a node pool does. */
export async function stopNode(cloud: Cloud, name: string, { drain }: { drain: boolean }): Promise<void> {
  const node = (await listNodes(cloud)).find((known) => known.name === name);
  const api = await coreApi(cloud).catch(() => undefined);
  if (drain && api !== undefined) await drainNode(api, name);
  await killMachine(cloud, name);
  await attachmentsOf(cloud).forgetNode(name);
  if (node !== undefined) await unroutePods(cloud, node.podCidr);
  await api?.deleteNode({ name }).catch(() => undefined); // a cluster on its way out needs no such notice
  await removeMachine(cloud, name);
  await rm(nodeFile(cloud, name), { force: true });
  await rm(csiDir(cloud, name), { recursive: true, force: true });
}

/** The nodes that the cloud was asked for. */
export async function listNodes(cloud: Cloud): Promise<NodeSpec[]> {
  const names = (await readdir(nodesDir(cloud)).catch(unlessAbsent)) ?? [];
  const files = names.filter((name) => name.endsWith(".json"));
  const nodes = await Promise.all(files.map((file) => readJson(path.join(nodesDir(cloud), file))));
  return nodes.filter((node) => node !== undefined) as NodeSpec[];
}

/** Folder of the disk driver's sockets on a node; short, since a socket's path has at most 107 characters. */
export function csiDir(cloud: Cloud, node: string): string {
  return path.join(cloud.dir, "csi", createHash("sha256").update(node).digest("hex").slice(0, 12));
}

/** Folder in which the node's kubelet looks for drivers. */
export function registrationDir(cloud: Cloud, node: string): string {
  return path.join(csiDir(cloud, node), "registration");
}

async function writeNodeFiles(cloud: Cloud, cluster: ClusterSpec, node: NodeSpec): Promise<void> {
  await mkdir(nodesDir(cloud), { recursive: true });
  await writeWhole(nodeFile(cloud, node.name), JSON.stringify(node));
  const authority = await Authority.open(pkiDir(cloud));
  const server = `https://${cluster.address}`;
  const nodeKeys = await authority.issue(node.name, {
    commonName: `system:node:${node.name}`,
    organization: "system:nodes",
    ips: [node.address],
    dnsNames: [node.name],
  });
  const proxyKeys = await authority.issue(`${node.name}-kube-proxy`, { commonName: "system:kube-proxy" });
  await writeNodeConfig(machineDir(cloud, node.name), {
    "kubelet.kubeconfig": kubeconfig(server, authority, nodeKeys),
    "kube-proxy.kubeconfig": kubeconfig(server, authority, proxyKeys),
    ...kubeletConfig(cloud, cluster, node, {
      ...nodeKeys,
      authority: authority.certificateFile,
      dns: dnsAddress(cluster.serviceCidr),
    }),
  });
}

/** The node's condition Ready as its kubelet has told it since that moment; of one that ended the cluster keeps it. */
export function readySince(node: V1Node | undefined, since: number): V1NodeCondition | undefined {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  const told = ready?.lastHeartbeatTime?.getTime() ?? 0;
  // Told in whole seconds.
  return told >= Math.floor(since / 1000) * 1000 ? ready : undefined;
}

async function waitUntilReady(cloud: Cloud, name: string, since: number): Promise<void> {
  const api = await coreApi(cloud);
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    const ready = readySince(await api.readNode({ name }).catch(() => undefined), since);
    if (ready?.status === "True") return;
    if (Date.now() > deadline) {
      const why = ready?.message ?? "its kubelet has said nothing since its start";
      throw new Error(
        `The node ${name} is not Ready after ${readyTimeoutMs / 1000} s (${why}); ${logHint(cloud, name)}`,
      );
    }
    await sleep(200);
  }
}

async function coreApi(cloud: Cloud): Promise<CoreV1Api> {
  await readCluster(cloud);
  const config = new KubeConfig();
  config.loadFromFile(cloud.adminKubeconfig);
  return config.makeApiClient(CoreV1Api);
}

function logHint(cloud: Cloud, node: string): string {
  return `its logs are in ${machineDir(cloud, node)}`;
}

function nodesDir(cloud: Cloud): string {
  return path.join(cloud.dir, "nodes");
}

function nodeFile(cloud: Cloud, name: string): string {
  return path.join(nodesDir(cloud), `${name}.json`);
}
