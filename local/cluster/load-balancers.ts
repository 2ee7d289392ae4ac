import { existsSync } from "node:fs";
import {
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Service,
} from "@kubernetes/client-node";
import type { Cloud } from "./cloud.ts";
import { controlPlaneMachine } from "./control-plane.ts";
import { ciMachine, machinePid, runIn } from "./machine.ts";
import { routerMachine } from "./network.ts";
import { listNodes } from "./node.ts";
import { readyEndpoints, type Watched } from "./watched.ts";

/** A load balancer's address and the node that answers for it. */
interface Assignment {
  address: string;
  node: string;
  /** The machine in the life of it that has the address. */
  pid: number;
}

/**
 * Gives every Service of type LoadBalancer the address it asks for: a node takes the address on, and that
 * node's kube-proxy does the rest. When the node is not Ready any more, another one takes it over; with the
 * external traffic policy "Local" it is always one that has a pod of the Service.
 */
export class LoadBalancers {
  private readonly api: CoreV1Api;
  private assigned = new Map<string, Assignment>();

  constructor(
    private readonly cloud: Cloud,
    config: KubeConfig,
    private readonly watched: Watched,
  ) {
    this.api = config.makeApiClient(CoreV1Api);
  }

  /** Brings addresses and statuses to what the cluster's Services ask for now. */
  async reconcile(): Promise<void> {
    const ready = this.readyNodes();
    const wanted = this.watched
      .services()
      .filter(({ spec }) => spec?.type === "LoadBalancer" && spec.loadBalancerIP);
    const uids = new Set(wanted.map(({ metadata }) => metadata?.uid));
    for (const [uid, assignment] of this.assigned) {
      if (!uids.has(uid)) await this.release(uid, assignment);
    }
    for (const service of wanted) await this.serve(service, this.candidates(service, ready));
  }

  /** The nodes that may answer for the Service. */
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

  private async serve(service: V1Service, candidates: string[]): Promise<void> {
    const uid = service.metadata?.uid ?? "";
    const address = service.spec?.loadBalancerIP ?? "";
    const assignment = this.assigned.get(uid);
    const stays =
      assignment?.address === address &&
      // A node that was lost and came back has no address any more.
      existsSync(`/proc/${assignment.pid}`) &&
      // With no pod anywhere, the address stays where it is and nothing answers.
      (candidates.includes(assignment.node) || candidates.length === 0);
    if (!stays) {
      if (assignment !== undefined) await this.release(uid, assignment);
      // Addresses are spread over the nodes, so that one lost node is not all of them.
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
    const pid = await machinePid(this.cloud, node);
    if (pid === undefined) return; // lost, and the cluster does not know it yet
    await runIn(this.cloud, node, ["ip", "address", "replace", `${address}/32`, "dev", "eth0"], {
      namespaces: "network",
    });
    this.assigned.set(uid, { address, node, pid });
    // The others may remember the node that had it before.
    const others = [ciMachine, routerMachine, controlPlaneMachine];
    const nodes = (await listNodes(this.cloud)).map(({ name }) => name);
    for (const machine of [...others, ...nodes]) {
      await runIn(this.cloud, machine, ["ip", "neigh", "flush", "to", address], {
        namespaces: "network",
      }).catch(() => undefined); // a machine that is not there remembers nothing
    }
  }

  private async release(uid: string, { address, node }: Assignment): Promise<void> {
    this.assigned.delete(uid);
    // The node may be gone, and the address with it.
    await runIn(this.cloud, node, ["ip", "address", "delete", `${address}/32`, "dev", "eth0"], {
      namespaces: "network",
    }).catch(() => undefined);
  }
}
