import path from "node:path";
import type { Cloud } from "../../hosts/cloud.ts";
import { readJson, writeFileAtomic } from "../../support/files.ts";
import type { Authority, KeyPair } from "../../support/pki.ts";

/** Address plan of a cluster. */
export interface ClusterSpec {
  name: string;
  /** IP address of the control plane in the VPC. */
  address: string;
  podCidr: string;
  serviceCidr: string;
}

/** Name of the control plane's host. */
export const controlPlaneHost = "control-plane";

/** Writes the record of the cloud's cluster. */
export async function writeCluster(cloud: Cloud, spec: ClusterSpec): Promise<void> {
  await writeFileAtomic(clusterFile(cloud), JSON.stringify(spec));
}

/**
 * Returns the cloud's cluster.
 *
 * @throws Error when there is none
 */
export async function readCluster(cloud: Cloud): Promise<ClusterSpec> {
  const cluster = await findCluster(cloud);
  if (cluster === undefined) throw new Error(`Local cloud ${cloud.name} has no cluster`);
  return cluster;
}

/** Returns the cloud's cluster, or undefined if there is none. */
export async function findCluster(cloud: Cloud): Promise<ClusterSpec | undefined> {
  return (await readJson(clusterFile(cloud))) as ClusterSpec | undefined;
}

/** Directory of the cluster's certificate authority. */
export function pkiDir(cloud: Cloud): string {
  return path.join(cloud.clusterDir, "pki");
}

/** Returns the address of the cluster's DNS: the tenth of the service range, as on GKE. */
export function dnsAddress(serviceCidr: string): string {
  return serviceAddress(serviceCidr, 10);
}

/** Returns the text of a kubeconfig for a client with a certificate. */
export function kubeconfig(server: string, authority: Authority, { cert, key }: KeyPair): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server, "certificate-authority": authority.certificateFile } }],
    users: [{ name: "local", user: { "client-certificate": cert, "client-key": key } }],
    contexts: [{ name: "local", context: { cluster: "local", user: "local" } }],
    "current-context": "local",
  });
}

/** Returns the address at offset `host` of the service range. */
export function serviceAddress(serviceCidr: string, host: number): string {
  const octets = (serviceCidr.split("/")[0] ?? "").split(".").map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + host].join(".");
}

function clusterFile(cloud: Cloud): string {
  return path.join(cloud.clusterDir, "cluster.json");
}
