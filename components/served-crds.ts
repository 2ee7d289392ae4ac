import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { reason } from "../lib/reason.ts";

/**
 * Default time in ms to wait until the API server serves new CRDs. On two overloaded cores, that took more than 6 s.
 */
const TIMEOUT_MS = 120_000;
const PAUSE_MS = 200;
/** Matches the names of CRDs in the format of controller-gen. */
const METADATA_NAME = /^ {2}name: (\S+)$/gm;

/**
 * Waits until the API server lists the resources of all CRDs in its discovery API, which can be seconds after the CRDs
 * are established. The Prometheus Operator reads the list only when it starts. If a resource is missing then, the
 * operator ignores it until the operator restarts (prometheus-operator/prometheus-operator#7459). If the API server
 * can't be reached from here, only warns, because the Kubernetes provider may reach it through a proxy.
 *
 * @param kubeconfig - kubeconfig of the cluster
 * @param crds - the CRDs as YAML in the format of controller-gen
 * @throws Error that names the missing resources, after `timeoutMs`. Default: 2 minutes
 */
export async function waitUntilServed(
  kubeconfig: string,
  crds: string,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const names = [...crds.matchAll(METADATA_NAME)].map(([, name = ""]) => name);
  const list = await discovery(kubeconfig, new Set(names.map(groupOf)));
  for (;;) {
    const served = await list().catch((error: unknown) => reason(error));
    const missing = typeof served === "string" ? names : names.filter((name) => !served.has(name));
    if (missing.length === 0) return;
    if (Date.now() > deadline) {
      if (typeof served !== "string") throw new Error(notServed(missing, timeoutMs));
      void pulumi.log.warn(`Can't check whether the API server serves the operator's CRDs: ${served}`);
      return;
    }
    await sleep(PAUSE_MS);
  }
}

function notServed(names: string[], timeoutMs: number): string {
  return (
    `The API server doesn't serve ${names.join(", ")} ${timeoutMs / 1000} s after their CRDs were created. ` +
    `Run "pulumi up" again; if it fails again, look at the conditions of the CRDs (kubectl describe crd).`
  );
}

/** Returns the group of a CRD's name, e.g. "monitoring.coreos.com" of "probes.monitoring.coreos.com". */
function groupOf(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}

/**
 * Returns a function that asks the API server which resources of the wanted groups it serves, in any version. The
 * result has the form "RESOURCE.GROUP".
 */
async function discovery(kubeconfig: string, wanted: Set<string>): Promise<() => Promise<Set<string>>> {
  // Imported here, because loading the client takes a second, and a program run needs it only if it creates or changes
  // the operator.
  const { ApisApi, CustomObjectsApi, KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const apis = config.makeApiClient(ApisApi);
  const objects = config.makeApiClient(CustomObjectsApi);
  return async () => {
    const { groups } = await apis.getAPIVersions();
    const versions = groups.filter(({ name }) => wanted.has(name)).flatMap((group) => group.versions);
    const lists = await Promise.all(
      versions.map(async ({ groupVersion }) => {
        const [group = "", version = ""] = groupVersion.split("/");
        const { resources } = await objects.getAPIResources({ group, version });
        return resources.map(({ name }) => `${name}.${group}`);
      }),
    );
    return new Set(lists.flat());
  };
}
