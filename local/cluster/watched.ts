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
  type V1EndpointSlice,
  type V1Ingress,
  type V1Namespace,
  type V1NetworkPolicy,
  type V1Node,
  type V1Pod,
  type V1Service,
} from "@kubernetes/client-node";

/** How long after a broken watch the next one is tried. */
const retryMs = 500;

/** What the cluster has, kept up to date by watches: to look costs nothing. */
export interface Watched {
  endpointSlices: () => readonly V1EndpointSlice[];
  ingresses: () => readonly V1Ingress[];
  namespaces: () => readonly V1Namespace[];
  networkPolicies: () => readonly V1NetworkPolicy[];
  nodes: () => readonly V1Node[];
  pods: () => readonly V1Pod[];
  services: () => readonly V1Service[];
}

/** Begins to watch, and resolves when all is known that is there now. */
export async function watchCluster(config: KubeConfig): Promise<Watched> {
  const core = config.makeApiClient(CoreV1Api);
  const discovery = config.makeApiClient(DiscoveryV1Api);
  const networking = config.makeApiClient(NetworkingV1Api);
  const keep = <T extends KubernetesObject>(path: string, list: () => Promise<KubernetesListObject<T>>) =>
    watchOne(config, path, list);
  const [endpointSlices, ingresses, namespaces, networkPolicies, nodes, pods, services] = await Promise.all([
    keep("/apis/discovery.k8s.io/v1/endpointslices", () => discovery.listEndpointSliceForAllNamespaces()),
    keep("/apis/networking.k8s.io/v1/ingresses", () => networking.listIngressForAllNamespaces()),
    keep("/api/v1/namespaces", () => core.listNamespace()),
    keep("/apis/networking.k8s.io/v1/networkpolicies", () => networking.listNetworkPolicyForAllNamespaces()),
    keep("/api/v1/nodes", () => core.listNode()),
    keep("/api/v1/pods", () => core.listPodForAllNamespaces()),
    keep("/api/v1/services", () => core.listServiceForAllNamespaces()),
  ]);
  return { endpointSlices, ingresses, namespaces, networkPolicies, nodes, pods, services };
}

/** The endpoint slices of a Service. */
export function slicesOf({ endpointSlices }: Watched, namespace = "", service = ""): V1EndpointSlice[] {
  return endpointSlices().filter(
    ({ metadata }) =>
      metadata?.namespace === namespace && metadata.labels?.["kubernetes.io/service-name"] === service,
  );
}

async function watchOne<T extends KubernetesObject>(
  config: KubeConfig,
  path: string,
  list: () => Promise<KubernetesListObject<T>>,
): Promise<() => readonly T[]> {
  const objects = new ListWatch<T>(path, new Watch(config), list, false);
  await objects.start();
  // Until it is known what there is, nothing may be concluded from there being nothing.
  while (objects.latestResourceVersion() === "") {
    await sleep(retryMs);
    await objects.start();
  }
  objects.on("error", () => {
    setTimeout(() => void objects.start(), retryMs);
  });
  return () => objects.list();
}
