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

/** How long after a broken watch the next one is tried. */
const retryMs = 500;
/** The label by which an endpoint slice says whose it is. */
const SERVICE = "kubernetes.io/service-name";

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

/** A pod that is ready to answer for a Service. */
export interface Endpoint {
  address: string;
  port: number;
  node: string | undefined;
}

/** The pods that are ready to answer for the Service. */
export function readyEndpoints({ endpointSlices }: Watched, namespace = "", service = ""): Endpoint[] {
  return endpointSlices()
    .filter(({ metadata }) => metadata?.namespace === namespace && metadata.labels?.[SERVICE] === service)
    .flatMap(({ endpoints, ports }) =>
      // The API leaves an empty list out, whatever the type says.
      ((endpoints as V1Endpoint[] | null) ?? [])
        .filter(({ conditions }) => conditions?.ready === true)
        .map(({ addresses, nodeName }) => ({
          address: addresses[0] ?? "",
          port: ports?.[0]?.port ?? 0,
          node: nodeName,
        })),
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
