import { existsSync } from "node:fs";
import {
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Service,
} from "@kubernetes/client-node";
import { removeRoutes, routeNewConnections } from "./client-routes.ts";
import type { Cloud } from "../hosts/cloud.ts";
import { controlPlaneHost } from "./records/cluster.ts";
import { ciHost, hostPid, runIn } from "../hosts/host.ts";
import { routerHost } from "../hosts/network.ts";
import { listNodes } from "./records/nodes.ts";
import { readyEndpoints, type ClusterCache } from "./records/cluster-cache.ts";

/** A load balancer's address and the node that serves it. */
interface Assignment {
  address: string;
  node: string;
  /** PID of the node's init process when the address was assigned. A restarted node has another PID and no address. */
  pid: number;
}

/**
 * Assigns every Service of type LoadBalancer its `loadBalancerIP`: one node gets the address, and its kube-proxy
 * forwards connections to the Service's pods. If the node becomes NotReady, the address moves to another node. With
 * externalTrafficPolicy "Local", the address moves when its node has no ready pod of the Service but another node has
 * one.
 */
export class LoadBalancerController {
  private readonly api: CoreV1Api;
  private assigned = new Map<string, Assignment>();

  constructor(
    private readonly cloud: Cloud,
    config: KubeConfig,
    private readonly watched: ClusterCache,
  ) {
    this.api = config.makeApiClient(CoreV1Api);
  }

  /** Assigns addresses and updates statuses according to the cluster's current Services. */
  async reconcile(): Promise<void> {
    const ready = this.readyNodes();
    const wanted = this.watched
      .services()
      .filter(({ spec }) => spec?.type === "LoadBalancer" && spec.loadBalancerIP);
    const uids = new Set(wanted.map(({ metadata }) => metadata?.uid));
    for (const [uid, assignment] of this.assigned) {
      if (uids.has(uid)) continue;
      await this.release(uid, assignment);
      await removeRoutes(this.cloud, assignment.address);
    }
    for (const service of wanted) await this.reconcileService(service, this.candidates(service, ready));
  }

  /** Returns the nodes that can serve the Service. */
  private candidates({ metadata, spec }: V1Service, ready: string[]): string[] {
    if (spec?.externalTrafficPolicy !== "Local") return ready;
    const endpoints = readyEndpoints(this.watched, metadata?.namespace, metadata?.name);
    const nodes = endpoints.map(({ node }) => node);
    return ready.filter((name) => nodes.includes(name));
  }

  private readyNodes(): string[] {
    return this.watched
      .nodes()
      .filter(({ status }) =>
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
      )
      .map(({ metadata }) => metadata?.name ?? "")
      .sort();
  }

  private async reconcileService(service: V1Service, candidates: string[]): Promise<void> {
    const uid = service.metadata?.uid ?? "";
    const address = service.spec?.loadBalancerIP ?? "";
    const assignment = this.assigned.get(uid);
    const keep =
      assignment?.address === address &&
      // The PID is that of the node's init process. If it no longer exists, the node was stopped and lost the address.
      existsSync(`/proc/${assignment.pid}`) &&
      // If no node can serve the Service, the address stays on its node.
      (candidates.includes(assignment.node) || candidates.length === 0);
    if (!keep) {
      if (assignment !== undefined) await this.release(uid, assignment);
      // Spreads the addresses over the nodes to limit the effect of one node's failure.
      const node = candidates[this.assigned.size % candidates.length];
      if (node !== undefined) await this.assign(uid, address, node);
    }
    if (service.status?.loadBalancer?.ingress?.[0]?.ip === address) return;
    await this.api.patchNamespacedServiceStatus(
      {
        name: service.metadata?.name ?? "",
        namespace: service.metadata?.namespace ?? "",
        body: { status: { loadBalancer: { ingress: [{ ip: address, ipMode: "VIP" }] } } },
      },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  }

  private async assign(uid: string, address: string, node: string): Promise<void> {
    const pid = await hostPid(this.cloud, node);
    if (pid === undefined) return; // the node stopped and the cluster has not noticed yet
    await runIn(this.cloud, node, ["ip", "address", "replace", `${address}/32`, "dev", "eth0"], {
      namespaces: "network",
    });
    await routeNewConnections(this.cloud, address, node);
    this.assigned.set(uid, { address, node, pid });
    // The hosts' ARP caches may still contain the MAC address of the node that had this IP address before.
    const others = [ciHost, routerHost, controlPlaneHost];
    const nodes = (await listNodes(this.cloud)).map(({ name }) => name);
    for (const host of [...others, ...nodes]) {
      await runIn(this.cloud, host, ["ip", "neigh", "flush", "to", address], {
        namespaces: "network",
      }).catch(() => undefined); // a stopped host has no ARP cache
    }
  }

  private async release(uid: string, { address, node }: Assignment): Promise<void> {
    this.assigned.delete(uid);
    // On a stopped node the command fails, which is harmless: the node has lost the address.
    await runIn(this.cloud, node, ["ip", "address", "delete", `${address}/32`, "dev", "eth0"], {
      namespaces: "network",
    }).catch(() => undefined);
  }
}
