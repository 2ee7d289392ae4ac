import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import type { Cloud } from "./cloud.ts";
import { readCluster } from "./control-plane.ts";

/** A control plane that runs answers at once; one that is on its way down is not waited for. */
const answerTimeoutMs = 5_000;

/**
 * The Service whose load balancer has the address, as `NAMESPACE/NAME`. Undefined when there is none, or no
 * cluster that could be asked.
 */
export async function addressHolder(cloud: Cloud, address: string): Promise<string | undefined> {
  const found = servicesAt(cloud, address).catch(() => undefined);
  const late = new Promise<undefined>((resolve) => {
    setTimeout(resolve, answerTimeoutMs, undefined).unref();
  });
  return Promise.race([found, late]);
}

async function servicesAt(cloud: Cloud, address: string): Promise<string | undefined> {
  await readCluster(cloud);
  const config = new KubeConfig();
  config.loadFromFile(cloud.adminKubeconfig);
  const { items } = await config.makeApiClient(CoreV1Api).listServiceForAllNamespaces();
  const holder = items.find(({ status }) => status?.loadBalancer?.ingress?.some(({ ip }) => ip === address));
  const { namespace, name } = holder?.metadata ?? {};
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`;
}
