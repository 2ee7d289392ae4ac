import { ciHost, startForwarder, startPodForward, type Cloud } from "../cluster/index.ts";

/** URLs on 127.0.0.1 whose ports are forwarded to the environment. */
export interface LocalAddresses {
  grafana: string;
  prometheus: string;
  alertmanager: string;
  pushGateway: string;
}

/** Like {@link LocalAddresses}; the Pushgateway's URL is missing if it is not reachable from the VPC. */
export type AvailableAddresses = Omit<LocalAddresses, "pushGateway"> & Partial<LocalAddresses>;

/**
 * Forwards ports of 127.0.0.1 to the addresses in the stack's outputs, with the same port numbers if those
 * are free.
 *
 * @throws Error when the Pushgateway is not reachable from the VPC; {@link forwardAvailable} accepts that
 */
export async function startForwards(cloud: Cloud, outputs: Record<string, unknown>): Promise<LocalAddresses> {
  const { pushGateway, ...others } = await forwardAvailable(cloud, outputs);
  if (pushGateway === undefined) {
    throw new Error('The Pushgateway is not reachable from the VPC: set pushGateway.exposure to "internal"');
  }
  return { ...others, pushGateway };
}

/** Like {@link startForwards}, but omits the Pushgateway if it is not reachable from the VPC. */
export async function forwardAvailable(
  cloud: Cloud,
  outputs: Record<string, unknown>,
): Promise<AvailableAddresses> {
  const forwards = reachableFromVpc(outputs).map(({ hostname, port }) => ({
    host: hostname,
    targetPort: Number(port),
    port: Number(port),
  }));
  const ports = await startForwarder(cloud, "people", ciHost, forwards);
  const [grafana, prometheus, pushGateway] = ports.map((port) => `http://127.0.0.1:${port}`);
  if (grafana === undefined || prometheus === undefined) {
    throw new Error("The forwarder returned too few ports");
  }
  const alertmanager = `http://127.0.0.1:${await forwardAlertmanager(cloud)}`;
  return { grafana, prometheus, alertmanager, pushGateway };
}

/**
 * Returns the stack's URLs that are reachable from the VPC. They don't include the Pushgateway's URL if it is
 * exposed to the internet or only to pods.
 */
export function reachableFromVpc(outputs: Record<string, unknown>): URL[] {
  const always = [outputs["GRAFANA_URL"], outputs["PROMETHEUS_URL"]].map((url) => new URL(String(url)));
  const url = outputs["PROMPG_URL"];
  if (typeof url !== "string") return always;
  const pushes = new URL(url);
  return pushes.hostname === outputs["PROMPG_ADDRESS"] ? [...always, pushes] : always;
}

/**
 * Alertmanager's pod, which has no fixed address in the VPC, because it has no load balancer. The Prometheus Operator
 * sets the label.
 */
const ALERTMANAGER = { namespace: "monitoring", label: "alertmanager=k8sfv", port: 9093 };

function forwardAlertmanager(cloud: Cloud): Promise<number> {
  return startPodForward(cloud, "alertmanager", ALERTMANAGER);
}
