// Main module of the process that agent.ts starts. Usage: node agent-main.ts CLOUD
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { openCloud } from "../hosts/cloud.ts";
import { readCluster } from "./records/cluster.ts";
import { DiskDriverController } from "./disk-drivers.ts";
import { IngressController } from "./front-end/ingresses.ts";
import { LoadBalancerController } from "./load-balancers.ts";
import { NetworkPolicyController } from "./network-policies/index.ts";
import { watchCluster } from "./records/cluster-cache.ts";

/**
 * Maximum time in milliseconds to wait for a change in the cluster. The API server doesn't report that a host was added
 * or restarted, so this process finds such hosts only in its next reconciliation.
 */
const pollMs = 2000;
/**
 * Minimum time in milliseconds between two reconciliations, so that several changes in quick succession cause only one.
 */
const pauseMs = 100;

const cloud = openCloud(process.argv[2] ?? "");
const config = new KubeConfig();
config.loadFromFile(cloud.adminKubeconfig);
// This process runs in the VPC and uses the API server's VPC address.
const server = `https://${(await readCluster(cloud)).address}`;
config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }));

const watched = await watchCluster(config);
const diskDrivers = new DiskDriverController(cloud);
const loadBalancers = new LoadBalancerController(cloud, config, watched);
const ingresses = new IngressController(cloud, config, watched);
const networkPolicies = new NetworkPolicyController(cloud, watched);
process.send?.("ready");
for (;;) {
  for (const part of [diskDrivers, networkPolicies, loadBalancers, ingresses]) {
    await part.reconcile().catch((error: unknown) => {
      console.error(new Date().toISOString(), error instanceof Error ? error.message : error);
    });
  }
  await watched.nextChange(pollMs);
  await sleep(pauseMs);
}
