import path from "node:path";
import { execa } from "execa";
import type { Cloud } from "../hosts/cloud.ts";

/** Timeout in seconds of kubectl's request to the API server, which normally responds within milliseconds. */
const answerTimeoutS = 5;

/** Fields of a Service or an Ingress that this module reads. */
interface Balanced {
  metadata: { namespace: string; name: string };
  status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

/**
 * Returns the Service or Ingress whose load balancer has the address, as `NAMESPACE/NAME`, or undefined if there is
 * none or if the API server does not respond. Uses kubectl, which starts in a tenth of the time that the Kubernetes
 * client library needs to load.
 */
export async function serviceWithAddress(cloud: Cloud, address: string): Promise<string | undefined> {
  const kubectl = path.join(cloud.binDir, "kubectl");
  const args = ["get", "services,ingresses", "--all-namespaces", "--output=json"];
  const { exitCode, stdout } = await execa(
    kubectl,
    [`--kubeconfig=${cloud.adminKubeconfig}`, `--request-timeout=${answerTimeoutS}s`, ...args],
    { reject: false, stdin: "ignore" },
  );
  if (exitCode !== 0) return undefined;
  const { items } = JSON.parse(stdout) as { items: Balanced[] };
  const holder = items.find(({ status }) =>
    status?.loadBalancer?.ingress?.some(({ ip }) => ip === address),
  )?.metadata;
  return holder && `${holder.namespace}/${holder.name}`;
}
