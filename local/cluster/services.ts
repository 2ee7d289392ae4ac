import path from "node:path";
import { execa } from "execa";
import type { Cloud } from "./cloud.ts";

/** A control plane that runs answers at once; one that is on its way down is not waited for. */
const answerTimeoutS = 5;

/** As much of a Service or an Ingress as matters here. */
interface Balanced {
  metadata: { namespace: string; name: string };
  status?: { loadBalancer?: { ingress?: { ip?: string }[] } };
}

/**
 * The Service or Ingress whose load balancer has the address, as `NAMESPACE/NAME`. Undefined when there is none, or no
 * cluster that could be asked. It asks by kubectl, which starts in a tenth of the time that a client in this
 * process takes to load.
 */
export async function addressHolder(cloud: Cloud, address: string): Promise<string | undefined> {
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
