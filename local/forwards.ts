import { WORKLOADS } from "../workloads.ts";
import { ciHost, startForwarder, startPodForward, type Cloud } from "./cluster/index.ts";

/** Addresses on this machine that lead to the environment. */
export interface LocalAddresses {
  grafana: string;
  prometheus: string;
  alertmanager: string;
  pushGateway: string;
}

/** Those that there are: the push gateway's only where the VPC may push. */
export type FoundAddresses = Omit<LocalAddresses, "pushGateway"> & Partial<LocalAddresses>;

/**
 * Forwards 127.0.0.1 to the addresses that the stack put out; on their usual ports where these are free.
 *
 * @throws Error when pushes don't come from the VPC; {@link forwardThoseThere} minds nothing
 */
export async function startForwards(cloud: Cloud, outputs: Record<string, unknown>): Promise<LocalAddresses> {
  const { pushGateway, ...others } = await forwardThoseThere(cloud, outputs);
  if (pushGateway === undefined) {
    throw new Error('This takes a push gateway in the VPC: pushGateway.exposure has to be "internal"');
  }
  return { ...others, pushGateway };
}

/** As {@link startForwards}, without the push gateway where its exposure keeps it from the VPC. */
export async function forwardThoseThere(
  cloud: Cloud,
  outputs: Record<string, unknown>,
): Promise<FoundAddresses> {
  const forwards = reachable(outputs).map(({ hostname, port }) => ({
    host: hostname,
    targetPort: Number(port),
    port: Number(port),
  }));
  const ports = await startForwarder(cloud, "people", ciHost, forwards);
  const [grafana, prometheus, pushGateway] = ports.map((port) => `http://127.0.0.1:${port}`);
  if (grafana === undefined || prometheus === undefined) {
    throw new Error("The forwarder answered with too few ports");
  }
  const alertmanager = `http://127.0.0.1:${await forwardAlertmanager(cloud)}`;
  return { grafana, prometheus, alertmanager, pushGateway };
}

/** The URLs that lead into the VPC. From the internet, and from the cluster's jobs alone, pushes don't. */
export function reachable(outputs: Record<string, unknown>): URL[] {
  const always = [outputs["GRAFANA_URL"], outputs["PROMETHEUS_URL"]].map((url) => new URL(String(url)));
  const url = outputs["PROMPG_URL"];
  if (typeof url !== "string") return always;
  const pushes = new URL(url);
  return pushes.hostname === outputs["PROMPG_ADDRESS"] ? [...always, pushes] : always;
}

/** Alertmanager has no address in the VPC. The label is the operator's. */
function forwardAlertmanager(cloud: Cloud): Promise<number> {
  const { name, port } = WORKLOADS.alertmanager;
  return startPodForward(cloud, name, { namespace: "monitoring", label: "alertmanager=k8sfv", port });
}
