import { realpath, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, KubeConfig, type V1Node, type V1NodeCondition } from "@kubernetes/client-node";
import { isSeeded, seedContainerd } from "../images/index.ts";
import type { Cloud } from "../hosts/cloud.ts";
import { attachmentsOf } from "./disks.ts";
import { drainNode } from "./drain.ts";
import { killHost, hostDir, removeHost, startHost, volumesBind } from "../hosts/host.ts";
import { attachToVpc, readNetwork, routePods, unroutePods } from "../hosts/network.ts";
import { kubeletConfig, nodeUnits, writeNodeConfig } from "./node-config.ts";
import { Authority } from "../support/pki.ts";
import { dnsAddress, kubeconfig, pkiDir, readCluster, type ClusterSpec } from "./records/cluster.ts";
import { csiDir, listNodes, registrationDir, removeNode, writeNode, type NodeSpec } from "./records/nodes.ts";

/** Timeout in milliseconds of a node's start. On two busy cores it took 10 s; slower computers need longer. */
const readyTimeoutMs = 120_000;

/**
 * Starts a node with all images preloaded and waits until it is Ready. Does nothing if the node already runs
 * with the current images.
 *
 * @throws Error when the node is not Ready after 120 s
 */
export async function startNode(cloud: Cloud, node: NodeSpec): Promise<void> {
  const cluster = await readCluster(cloud);
  const network = await readNetwork(cloud);
  await writeNodeFiles(cloud, cluster, node);
  const containerdRoot = path.join(hostDir(cloud, node.name), "var/lib/containerd");
  const store = { dir: await realpath(cloud.imageStore) };
  // After an update of the project, images may differ. A node loads images only when it starts, so a running node must
  // restart.
  if (!(await isSeeded(store, containerdRoot))) await killHost(cloud, node.name);
  await seedContainerd(store, containerdRoot);
  const plug = attachToVpc(cloud, node.name, network, node.address);
  const now = Date.now();
  const started = await startHost(cloud, {
    name: node.name,
    connect: plug.connect,
    setup: [
      ...plug.setup,
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"],
      // The sender of a packet to a deleted pod immediately gets "host unreachable". Without this route, such packets
      // would loop between node and router. An existing pod has a more specific route.
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

/** Stops a node and removes its data. With `drain`, evicts its pods first, like a resize of a node pool. */
export async function stopNode(cloud: Cloud, name: string, { drain }: { drain: boolean }): Promise<void> {
  const node = (await listNodes(cloud)).find((known) => known.name === name);
  const api = await coreApi(cloud).catch(() => undefined);
  if (drain && api !== undefined) await drainNode(api, name);
  await killHost(cloud, name);
  await attachmentsOf(cloud).forgetNode(name);
  if (node !== undefined) await unroutePods(cloud, node.podCidr);
  await api?.deleteNode({ name }).catch(() => undefined); // the cluster may be stopping as well
  await removeHost(cloud, name);
  await removeNode(cloud, name);
  await rm(csiDir(cloud, name), { recursive: true, force: true });
}

async function writeNodeFiles(cloud: Cloud, cluster: ClusterSpec, node: NodeSpec): Promise<void> {
  await writeNode(cloud, node);
  const authority = await Authority.open(pkiDir(cloud));
  const server = `https://${cluster.address}`;
  const nodeKeys = await authority.issue(node.name, {
    commonName: `system:node:${node.name}`,
    organization: "system:nodes",
    ips: [node.address],
    dnsNames: [node.name],
  });
  const proxyKeys = await authority.issue(`${node.name}-kube-proxy`, { commonName: "system:kube-proxy" });
  await writeNodeConfig(hostDir(cloud, node.name), {
    "kubelet.kubeconfig": kubeconfig(server, authority, nodeKeys),
    "kube-proxy.kubeconfig": kubeconfig(server, authority, proxyKeys),
    ...kubeletConfig(cloud, cluster, node, {
      ...nodeKeys,
      authority: authority.certificateFile,
      dns: dnsAddress(cluster.serviceCidr),
    }),
  });
}

/**
 * Returns the node's Ready condition if the kubelet reported the condition after `since` (Unix time in milliseconds),
 * else undefined. An older condition may be that of a stopped kubelet, because the API server keeps the last one.
 */
export function readySince(node: V1Node | undefined, since: number): V1NodeCondition | undefined {
  const ready = node?.status?.conditions?.find(({ type }) => type === "Ready");
  const heartbeat = ready?.lastHeartbeatTime?.getTime() ?? 0;
  // Heartbeat times have a resolution of one second.
  return heartbeat >= Math.floor(since / 1000) * 1000 ? ready : undefined;
}

async function waitUntilReady(cloud: Cloud, name: string, since: number): Promise<void> {
  const api = await coreApi(cloud);
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    const ready = readySince(await api.readNode({ name }).catch(() => undefined), since);
    if (ready?.status === "True") return;
    if (Date.now() > deadline) {
      const why = ready?.message ?? "its kubelet has not reported since it started";
      throw new Error(
        `Node ${name} is not Ready after ${readyTimeoutMs / 1000} s (${why}); ${logHint(cloud, name)}`,
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
  return `its logs are in ${hostDir(cloud, node)}`;
}
