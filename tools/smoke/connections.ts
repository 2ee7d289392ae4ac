import type { CoreV1Api, V1Service } from "@kubernetes/client-node";
import { forwardToPod, listPods, readyPod } from "../../lib/pod-forward.ts";
import { openTunnel } from "../../lib/tunnel.ts";
import type { Component, Target } from "./components.ts";
import { freePort } from "../../lib/free-port.ts";
import { reason } from "../../lib/reason.ts";

/** A connection to a component. */
export interface Connection {
  /** Sends a request; the path starts with a slash. */
  request(path: string, init?: { method?: string; body?: string }): Promise<ComponentResponse>;
  /** Base URL without a slash at the end: a tunnel's, e.g. "http://127.0.0.1:40123", or the one in the VPC. */
  readonly url: string;
  close(): void;
}

export interface ComponentResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly text: string;
}

/** Connects to a component. @throws Error with the obstacle and where to look */
export type Connect = (component: Component) => Promise<Connection>;

/** Timeout for a ready pod in milliseconds. */
const POD_WAIT_MS = 10_000;
/** Timeout of each request in milliseconds. */
const TIMEOUT_MS = 20_000;

/** Connects directly, from a host in the VPC. */
export const connectDirectly: Connect = (component) => {
  if (component.url === undefined) {
    throw new Error("it has no address in the VPC: run the smoke test without --direct");
  }
  const headers = component.directHeaders ?? component.headers;
  return Promise.resolve(connectionTo(headers, component.url, () => undefined));
};

/**
 * Connects through the Kubernetes API to a ready pod of the component's Service, like `kubectl port-forward`.
 * Works anywhere with permission to use the cluster. Also checks the Service and its reserved address.
 */
export async function connectThroughKubernetes({ kubeconfig, namespace }: Target): Promise<Connect> {
  const { CoreV1Api, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const server = config.getCurrentCluster()?.server ?? "";
  return async (component) => {
    const service = await readService(api, server, namespace, component);
    checkAddress(service, namespace, component);
    const podLabels = service.spec?.selector ?? {};
    await readyPod({ namespace, podLabels }, () => listPods(api, { namespace, podLabels }), POD_WAIT_MS);
    const port = await podPort(api, namespace, service);
    const forward = forwardToPod({ kubeconfig, namespace, podLabels, port, waitMs: POD_WAIT_MS });
    const tunnel = await openTunnel(await freePort(), forward, () => undefined, component.title);
    return connectionTo(component.headers, tunnel.url, () => {
      tunnel.settle();
    });
  };
}

async function readService(
  api: CoreV1Api,
  server: string,
  namespace: string,
  { service }: Component,
): Promise<V1Service> {
  try {
    return await api.readNamespacedService({ namespace, name: service });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 404) {
      throw new Error(`Service ${service} does not exist in namespace ${namespace}: run pulumi up`, {
        cause: error,
      });
    }
    if (code === 401 || code === 403) {
      const may = `get services and pods, and create pods/portforward, in the namespace ${namespace}`;
      throw new Error(
        `the Kubernetes API ${server} rejects your credentials (${code}): you need permission to ${may}`,
        {
          cause: error,
        },
      );
    }
    throw new Error(
      `the Kubernetes API ${server} does not respond: ${reason(error)}. ` +
        "Check that gke-gcloud-auth-plugin is on PATH and that you are logged in (gcloud auth login)",
      { cause: error },
    );
  }
}

/** Checks that the load balancer has the address in the stack's outputs, to which CI pushes. */
function checkAddress(service: V1Service, namespace: string, component: Component): void {
  if (service.spec?.type !== "LoadBalancer" || component.url === undefined) return;
  const wanted = service.spec.loadBalancerIP ?? new URL(component.url).hostname;
  const addresses = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  if (addresses.includes(wanted)) return;
  const has = addresses.length === 0 ? "no address" : `the address ${addresses.join(", ")}`;
  throw new Error(
    `its Service has ${has} instead of ${wanted}. Run: ` +
      `kubectl --namespace ${namespace} describe service ${component.service}`,
  );
}

/** Returns the number of the pod port to which the Service forwards. */
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

function connectionTo(headers: Record<string, string>, url: string, close: () => void): Connection {
  return {
    url,
    close,
    async request(path, init) {
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const response = await fetch(`${url}${path}`, { ...init, headers, signal });
        return { ok: response.ok, status: response.status, text: await response.text() };
      } catch (error) {
        throw new Error(`it does not respond: ${reason(error)}`, { cause: error });
      }
    },
  };
}
