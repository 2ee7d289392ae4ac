import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  DiscoveryV1Api,
  ListWatch,
  NetworkingV1Api,
  Watch,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  type V1Endpoint,
  type V1EndpointSlice,
  type V1Ingress,
  type V1Namespace,
  type V1NetworkPolicy,
  type V1Node,
  type V1Pod,
  type V1Service,
} from "@kubernetes/client-node";

/** Delay in milliseconds before a failed watch is restarted. */
const retryMs = 500;
/** Label of an EndpointSlice that holds the name of its Service. */
const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** Objects of the cluster, kept up to date by watches. Reading them makes no API request. */
export interface ClusterCache {
  endpointSlices: () => readonly V1EndpointSlice[];
  ingresses: () => readonly V1Ingress[];
  namespaces: () => readonly V1Namespace[];
  networkPolicies: () => readonly V1NetworkPolicy[];
  nodes: () => readonly V1Node[];
  pods: () => readonly V1Pod[];
  services: () => readonly V1Service[];
  /** Resolves when an object has changed since the last call resolved, or after `timeoutMs`. */
  nextChange: (timeoutMs: number) => Promise<void>;
}

/** Starts the watches and resolves when all have their initial list. */
export async function watchCluster(config: KubeConfig): Promise<ClusterCache> {
  const core = config.makeApiClient(CoreV1Api);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const networking = config.makeApiClient(NetworkingV1Api);
  const changes = new Changes();
  const inform = <T extends KubernetesObject>(path: string, list: () => Promise<KubernetesListObject<T>>) =>
    startInformer(config, path, list, changes);
  const [endpointSlices, ingresses, namespaces, networkPolicies, nodes, pods, services] = await Promise.all([
    inform("/apis/discovery.k8s.io/v1/endpointslices", () => discovery.listEndpointSliceForAllNamespaces()),
    inform("/apis/networking.k8s.io/v1/ingresses", () => networking.listIngressForAllNamespaces()),
    inform("/api/v1/namespaces", () => core.listNamespace()),
    inform("/apis/networking.k8s.io/v1/networkpolicies", () =>
      networking.listNetworkPolicyForAllNamespaces(),
    ),
    inform("/api/v1/nodes", () => core.listNode()),
    inform("/api/v1/pods", () => core.listPodForAllNamespaces()),
    inform("/api/v1/services", () => core.listServiceForAllNamespaces()),
  ]);
  const nextChange = (timeoutMs: number) => changes.next(timeoutMs);
  return { endpointSlices, ingresses, namespaces, networkPolicies, nodes, pods, services, nextChange };
}

/**
 * Lets one caller wait for changes: `next` resolves at the next change or after the timeout, or immediately if
 * something has changed since its last call resolved.
 */
class Changes {
  private pending = false;
  private wake: () => void = () => undefined;

  notify(): void {
    this.pending = true;
    this.wake();
  }

  async next(timeoutMs: number): Promise<void> {
    if (!this.pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.pending = false;
  }
}

/** A ready pod behind a Service. */
export interface Endpoint {
  address: string;
  port: number;
  node: string | undefined;
}

/** Returns the ready pods behind the Service. */
export function readyEndpoints({ endpointSlices }: ClusterCache, namespace = "", service = ""): Endpoint[] {
  return endpointSlices()
    .filter(
      ({ metadata }) =>
        metadata?.namespace === namespace && metadata.labels?.[SERVICE_NAME_LABEL] === service,
    )
    .flatMap(({ endpoints, ports }) =>
      // The API omits empty `endpoints`, although the type declares them as required.
      ((endpoints as V1Endpoint[] | null) ?? [])
        .filter(({ conditions }) => conditions?.ready === true)
        .map(({ addresses, nodeName }) => ({
          address: addresses[0] ?? "",
          port: ports?.[0]?.port ?? 0,
          node: nodeName,
        })),
    );
}

async function startInformer<T extends KubernetesObject>(
  config: KubeConfig,
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
  changes: Changes,
): Promise<() => readonly T[]> {
  const objects = new ListWatch<T>(path, new Watch(config), list, false);
  for (const event of ["add", "update", "delete"] as const)
    objects.on(event, () => {
      changes.notify();
    });
  await objects.start();
  // Waits for the first successful request. Until then the list is empty, as if the cluster had no such objects.
  while (objects.latestResourceVersion() === "") {
    await sleep(retryMs);
    await objects.start();
  }
  objects.on("error", () => {
    setTimeout(() => void objects.start(), retryMs);
  });
  return () => objects.list();
}
