import {
  CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Service,
} from "@kubernetes/client-node";
import type { Cloud } from "./cloud.ts";
import { runIn } from "./machine.ts";

/** A load balancer's address and the node that answers for it. */
interface Assignment {
  address: string;
  node: string;
}

/**
 * Gives every Service of type LoadBalancer the address it asks for: a node takes the address on, and that
 * node's kube-proxy does the rest. When the node is not Ready any more, another one takes it over.
 */
export class LoadBalancers {
  private readonly api: CoreV1Api;
  private assigned = new Map<string, Assignment>();

  constructor(
    private readonly cloud: Cloud,
    config: KubeConfig,
  ) {
    this.api = config.makeApiClient(CoreV1Api);
  }

  /** Brings addresses and statuses to what the cluster's Services ask for now. */
  async reconcile(): Promise<void> {
    const [{ items: services }, ready] = await Promise.all([
      this.api.listServiceForAllNamespaces(),
      this.readyNodes(),
    ]);
    const wanted = services.filter(({ spec }) => spec?.type === "LoadBalancer" && spec.loadBalancerIP);
    const uids = new Set(wanted.map(({ metadata }) => metadata?.uid));
    for (const [uid, assignment] of this.assigned) {
      const moved = !ready.includes(assignment.node);
      if (!uids.has(uid) || moved) await this.release(uid, assignment);
    }
    for (const service of wanted) await this.serve(service, ready);
  }

  private async readyNodes(): Promise<string[]> {
    const { items } = await this.api.listNode();
    return items
      .filter(({ status }) =>
        status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
      )
      .map(({ metadata }) => metadata?.name ?? "")
      .sort();
  }

  private async serve(service: V1Service, ready: string[]): Promise<void> {
    const uid = service.metadata?.uid ?? "";
    const address = service.spec?.loadBalancerIP ?? "";
    if (this.assigned.get(uid)?.address !== address) {
      // Addresses are spread over the nodes, so that one lost node is not all of them.
      const node = ready[this.assigned.size % ready.length];
      if (node === undefined) return;
      await runIn(this.cloud, node, ["ip", "address", "replace", `${address}/32`, "dev", "eth0"], {
        namespaces: "network",
      });
      this.assigned.set(uid, { address, node });
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

  private async release(uid: string, { address, node }: Assignment): Promise<void> {
    this.assigned.delete(uid);
    // The node may be gone, and the address with it.
    await runIn(this.cloud, node, ["ip", "address", "delete", `${address}/32`, "dev", "eth0"], {
      namespaces: "network",
    }).catch(() => undefined);
  }
}
