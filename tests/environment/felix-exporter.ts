import { once } from "node:events";
import { execa } from "execa";
import { type Cloud, ciHostCommand } from "k8sfv-local-cloud";

/**
 * Values of the two Felix metrics that the server below exposes. They are unusual, so a panel that shows one of them
 * shows data from this server.
 */
export const ENDPOINTS = 1234;
export const CHAINS = 321;

const METRICS = `# HELP felix_cluster_num_workload_endpoints Number of workload endpoints cluster-wide.
# TYPE felix_cluster_num_workload_endpoints gauge
felix_cluster_num_workload_endpoints ${ENDPOINTS}
# TYPE felix_iptables_chains gauge
felix_iptables_chains{ip_version="4",table="filter"} ${CHAINS}
`;

/** Script of an HTTP server that exposes the metrics until its standard input is closed. */
const SERVER = `
require("node:http").createServer((request, response) => {
  response.writeHead(request.url === "/metrics" ? 200 : 404, { "Content-Type": "text/plain; version=0.0.4" });
  response.end(process.argv[2]);
}).listen(Number(process.argv[1]), () => console.log("ready"));
process.stdin.on("end", () => process.exit()).resume();`;

/** Starts a server on the CI host that exposes metrics like Felix. */
export async function startFelix(cloud: Cloud, port: number): Promise<{ stop: () => Promise<void> }> {
  const [file, ...args] = await ciHostCommand(cloud, ["node", "-e", SERVER, String(port), METRICS]);
  const server = execa(file, args, { reject: false });
  await Promise.race([once(server.stdout, "data"), server]);
  return {
    async stop() {
      server.stdin.end();
      await server;
    },
  };
}
