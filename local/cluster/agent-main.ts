// The process behind agent.ts: node agent-main.ts CLOUD
import { setTimeout as sleep } from "node:timers/promises";
import { KubeConfig } from "@kubernetes/client-node";
import { openCloud } from "./cloud.ts";
import { readCluster } from "./control-plane.ts";
import { DiskDrivers } from "./disk-drivers.ts";
import { Ingresses } from "./front-end/ingresses.ts";
import { LoadBalancers } from "./load-balancers.ts";
import { NetworkPolicies } from "./network-policies/index.ts";
import { watchCluster } from "./watched.ts";

const intervalMs = 500;

const cloud = openCloud(process.argv[2] ?? "");
const config = new KubeConfig();
config.loadFromFile(cloud.adminKubeconfig);
// This process is inside the VPC, where the API server has its own address.
const server = `https://${(await readCluster(cloud)).address}`;
config.clusters = config.clusters.map((cluster) => ({ ...cluster, server }));

const watched = await watchCluster(config);
const diskDrivers = new DiskDrivers(cloud);
const loadBalancers = new LoadBalancers(cloud, config, watched);
const ingresses = new Ingresses(cloud, config, watched);
const networkPolicies = new NetworkPolicies(cloud, watched);
process.send?.("ready");
for (;;) {
  for (const part of [diskDrivers, networkPolicies, loadBalancers, ingresses]) {
    await part.reconcile().catch((error: unknown) => {
      console.error(new Date().toISOString(), error instanceof Error ? error.message : error);
    });
  }
  await sleep(intervalMs);
}
