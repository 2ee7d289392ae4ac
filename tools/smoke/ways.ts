import type { CoreV1Api, V1Service } from "@kubernetes/client-node";
import { forwardToPod, listPods, readyPod } from "../../components/pod-forward.ts";
import { openTunnel } from "../../components/tunnel.ts";
import type { Part, Target } from "./parts.ts";
import { freePort } from "../free-port.ts";
import { reason } from "../reason.ts";

/** A way to a part. */
export interface Way {
  /** Asks it; the path begins with a slash. */
  ask(path: string, init?: { method?: string; body?: string }): Promise<Answer>;
  /** Where it is reached from here, e.g. "http://127.0.0.1:40123". */
  readonly url: string;
  close(): void;
}

/** What a part answered. */
export interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

/** Opens a way to a part. @throws Error that says what is in the way, and where to look */
export type OpenWay = (part: Part) => Promise<Way>;

/** A pod that isn't ready by now isn't about to be. */
const POD_WAIT_MS = 10_000;
/** No request of a smoke test takes longer, in ms. */
const PATIENCE_MS = 20_000;

/** The address itself: from a machine in the VPC. */
export const openDirectly: OpenWay = (part) => {
  if (part.url === undefined) {
    throw new Error("it has no address of its own here: leave --direct away");
  }
  const headers = part.directHeaders ?? part.headers;
  return Promise.resolve(wayTo(headers, part.url, () => undefined));
};

/**
 * Through the Kubernetes API to a ready pod of the part's Service, as `kubectl port-forward` does: from
 * anywhere, with the right to use the cluster. The Service and its reserved address are looked at on the way.
 */
export async function throughKubernetes({ kubeconfig, namespace }: Target): Promise<OpenWay> {
  const { CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const server = config.getCurrentCluster()?.server ?? "";
  return async (part) => {
    const service = await readService(api, server, namespace, part);
    checkAddress(service, namespace, part);
    const podLabels = service.spec?.selector ?? {};
    await readyPod({ namespace, podLabels }, () => listPods(api, { namespace, podLabels }), POD_WAIT_MS);
    const port = await podPort(api, namespace, service);
    const forward = forwardToPod({ kubeconfig, namespace, podLabels, port, waitMs: POD_WAIT_MS });
    const tunnel = await openTunnel(await freePort(), forward, () => undefined, part.title);
    return wayTo(part.headers, tunnel.url, () => {
      tunnel.settle();
    });
  };
}

async function readService(
  api: CoreV1Api,
  server: string,
  namespace: string,
  { service }: Part,
): Promise<V1Service> {
  try {
    return await api.readNamespacedService({ namespace, name: service });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 404) {
      throw new Error(`there is no Service ${service} in the namespace ${namespace}: run pulumi up`, {
        cause: error,
      });
    }
    if (code === 401 || code === 403) {
      const may = `get services and pods, and create pods/portforward, in the namespace ${namespace}`;
      throw new Error(`the Kubernetes API ${server} refuses you (${code}): you have to be let ${may}`, {
        cause: error,
      });
    }
    throw new Error(
      `the Kubernetes API ${server} does not answer: ${reason(error)}. ` +
        "Is gke-gcloud-auth-plugin on PATH, and are you signed in (gcloud auth login)?",
      { cause: error },
    );
  }
}

/** A load balancer that has another address than CI was told is of no use. */
function checkAddress(service: V1Service, namespace: string, part: Part): void {
  if (service.spec?.type !== "LoadBalancer" || part.url === undefined) return;
  const wanted = service.spec.loadBalancerIP ?? new URL(part.url).hostname;
  const addresses = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  if (addresses.includes(wanted)) return;
  const has = addresses.length === 0 ? "no address" : `the address ${addresses.join(", ")}`;
  throw new Error(
    `its Service has ${has} and not ${wanted}. Look at: ` +
      `kubectl --namespace ${namespace} describe service ${part.service}`,
  );
}

/** The number of the pods' port that the Service leads to. */
async function podPort(api: CoreV1Api, namespace: string, service: V1Service): Promise<number> {
  const target = service.spec?.ports?.[0]?.targetPort;
  if (typeof target === "number") return target;
  const labelSelector = Object.entries(service.spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items } = await api.listNamespacedPod({ namespace, labelSelector });
  const ports = items.flatMap(({ spec }) => spec?.containers ?? []).flatMap(({ ports: all }) => all ?? []);
  const found = ports.find(({ name }) => name === target);
  if (found === undefined) throw new Error(`none of its pods has a port ${JSON.stringify(target)}`);
  return found.containerPort;
}

function wayTo(headers: Record<string, string>, url: string, close: () => void): Way {
  return {
    url,
    close,
    async ask(path, init) {
      try {
        const signal = AbortSignal.timeout(PATIENCE_MS);
        const response = await fetch(`${url}${path}`, { ...init, headers, signal });
        return { ok: response.ok, status: response.status, text: await response.text() };
      } catch (error) {
        throw new Error(`it does not answer: ${reason(error)}`, { cause: error });
      }
    },
  };
}
