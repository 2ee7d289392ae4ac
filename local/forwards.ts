import { ciMachine, startForwarder, type Cloud } from "./cluster/index.ts";

/** Addresses on this machine that lead to the environment. */
export interface LocalAddresses {
  grafana: string;
  prometheus: string;
  pushGateway: string;
}

/** Forwards 127.0.0.1 to the addresses that the stack put out; on their usual ports where these are free. */
export async function startForwards(cloud: Cloud, outputs: Record<string, unknown>): Promise<LocalAddresses> {
  const targets = ["GRAFANA_URL", "PROMETHEUS_URL", "PROMPG_URL"].map(
    (name) => new URL(String(outputs[name])),
  );
  const ports = await startForwarder(
    cloud,
    "people",
    ciMachine,
    targets.map(({ hostname, port }) => ({ host: hostname, targetPort: Number(port), port: Number(port) })),
  );
  const [grafana, prometheus, pushGateway] = ports.map((port) => `http://127.0.0.1:${port}`);
  if (grafana === undefined || prometheus === undefined || pushGateway === undefined) {
    throw new Error("The forwarder answered with too few ports");
  }
  return { grafana, prometheus, pushGateway };
}
