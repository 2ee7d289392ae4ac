import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { Values } from "../plugin/values.ts";
import { Api } from "./api.ts";
import { apiNames, enabled, type ApiName } from "./model/apis.ts";
import { FaultInjector } from "./faults.ts";
import type { Infrastructure } from "./model/infrastructure.ts";
import { GoogleProvider } from "./provider.ts";
import type { Backend } from "./model/resource-type.ts";
import { Store } from "./model/store.ts";

/** An emulated Google API for tests. Its infrastructure only records calls. */
export interface TestCloud {
  readonly provider: GoogleProvider;
  readonly store: Store;
  readonly dir: string;
  /** Calls of the infrastructure's methods so far, by name and arguments, e.g. `startNode ADDRESS POD_CIDR`. */
  readonly calls: string[];
  readonly machines: Infrastructure;
  /**
   * Values that the provider passed to the infrastructure's `setGlobalAddress` (an IP address) and `setSecurityPolicy`
   * (rules), by the resource's name. A call with `undefined` removes the entry.
   */
  readonly announced: Map<string, unknown>;
  /**
   * State that tests set. `disks`: a disk's `ZONE/NAME` and the node to which it is attached. `addresses`: an address
   * and the Service (`NAMESPACE/NAME`) that uses it.
   */
  readonly held: { disks: Map<string, string>; addresses: Map<string, string> };
}

const project = "calico-test";

/**
 * Returns a cloud in its own temporary directory, which is removed after the test.
 *
 * @param apis enabled APIs. @default all
 * @param limits maximum number of resources by type. @default none
 */
export function testCloud(apis: readonly ApiName[] = apiNames, limits: Backend["limits"] = {}): TestCloud {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-google-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const calls: string[] = [];
  const held = { disks: new Map<string, string>(), addresses: new Map<string, string>() };
  const announced = new Map<string, unknown>();
  const announce = (name: string, value: unknown): Promise<void> => {
    if (value === undefined) announced.delete(name);
    else announced.set(name, value);
    return Promise.resolve();
  };
  const record = (what: string): Promise<void> => {
    calls.push(what);
    return Promise.resolve();
  };
  const machines: Infrastructure = {
    startNetwork: ({ cidr, gateway }) => record(`startNetwork ${cidr} ${gateway}`),
    stopNetwork: () => record("stopNetwork"),
    startCluster: async ({ name, address, podCidr, serviceCidr }) => {
      await record(`startCluster ${name} ${address} ${podCidr} ${serviceCidr}`);
      return { endpoint: "127.0.0.1:6443", caCertificate: "Q0E=" };
    },
    stopCluster: () => record("stopCluster"),
    startNode: ({ address, podCidr }) => record(`startNode ${address} ${podCidr}`),
    stopNode: (_name, { drain }) => record(`stopNode ${drain ? "drained" : "at once"}`),
    nodeWithDisk: ({ zone, name }) => Promise.resolve(held.disks.get(`${zone}/${name}`)),
    detachDisk: ({ zone, name }) => {
      held.disks.delete(`${zone}/${name}`);
      return Promise.resolve();
    },
    setGlobalAddress: announce,
    setSecurityPolicy: announce,
    serviceWithAddress: (address) => Promise.resolve(held.addresses.get(address)),
  };
  const file = path.join(dir, "google.json");
  const resources = Object.fromEntries(apis.flatMap((name) => Object.entries(enabled(project, name))));
  writeFileSync(file, JSON.stringify({ resources, faults: {} }));
  const store = new Store(file);
  const faults = new FaultInjector(path.join(dir, "faults.json"), store);
  const backend = {
    machines,
    limits,
    disksDir: path.join(dir, "disks"),
    snapshotsDir: path.join(dir, "snapshots"),
  };
  const provider = new GoogleProvider("9.37.0", new Api(store, faults, backend));
  provider.configure({ project, region: "us-central1", zone: "us-central1-f" });
  return { provider, store, dir, calls, machines, announced, held };
}

/** Returns the paths of created resources, without APIs and without the default network and service account. */
export function made({ store }: TestCloud): string[] {
  const { resources } = store.read();
  return Object.keys(resources).filter(
    (one) =>
      resources[one]?.type !== tokens.Service && !/\/networks\/default$|-compute@developer\./.test(one),
  );
}

/** Type tokens by short name. */
export const tokens = {
  Network: "gcp:compute/network:Network",
  NetworkPeering: "gcp:compute/networkPeering:NetworkPeering",
  Subnetwork: "gcp:compute/subnetwork:Subnetwork",
  Address: "gcp:compute/address:Address",
  GlobalAddress: "gcp:compute/globalAddress:GlobalAddress",
  SecurityPolicy: "gcp:compute/securityPolicy:SecurityPolicy",
  Firewall: "gcp:compute/firewall:Firewall",
  Router: "gcp:compute/router:Router",
  RouterNat: "gcp:compute/routerNat:RouterNat",
  Disk: "gcp:compute/disk:Disk",
  Snapshot: "gcp:compute/snapshot:Snapshot",
  ResourcePolicy: "gcp:compute/resourcePolicy:ResourcePolicy",
  DiskResourcePolicyAttachment: "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment",
  Cluster: "gcp:container/cluster:Cluster",
  NodePool: "gcp:container/nodePool:NodePool",
  Account: "gcp:serviceaccount/account:Account",
  IAMMember: "gcp:projects/iAMMember:IAMMember",
  Service: "gcp:projects/service:Service",
} as const;

/** Creates a resource like the engine: check, then create. @throws Error with all failed checks */
export async function make(cloud: TestCloud, type: keyof typeof tokens, inputs: Values, preview = false) {
  const subject = { type: tokens[type], name: "one" };
  const checked = cloud.provider.check({ ...subject, before: undefined, inputs, seed: new Uint8Array() });
  if (checked.failures.length > 0) throw new Error(checked.failures.map(({ reason }) => reason).join("\n"));
  const made = await cloud.provider.create({ ...subject, inputs: checked.inputs, preview });
  return { ...made, inputs: checked.inputs };
}

/** Updates a resource like the engine: check, diff, then update unless it must be replaced. */
export async function change(
  cloud: TestCloud,
  type: keyof typeof tokens,
  made: { id: string; state: Values; inputs: Values },
  inputs: Values,
  preview = false,
) {
  const subject = { type: tokens[type], name: "one", id: made.id, state: made.state, before: made.inputs };
  const checked = cloud.provider.check({ ...subject, inputs, seed: new Uint8Array() });
  if (checked.failures.length > 0) throw new Error(checked.failures.map(({ reason }) => reason).join("\n"));
  const request = { ...subject, inputs: checked.inputs };
  const { changes, deleteBeforeReplace } = cloud.provider.diff(request);
  const replace = changes.filter((one) => one.replace).map(({ path: where }) => where);
  if (replace.length > 0 || changes.length === 0) {
    return { ...made, replace, changed: changes.length > 0, deleteBeforeReplace };
  }
  const state = await cloud.provider.update({ ...request, preview });
  return { id: made.id, state, inputs: checked.inputs, replace, changed: true, deleteBeforeReplace };
}

/** Deletes a resource with the provider call that the Pulumi engine makes. */
export function drop(cloud: TestCloud, type: keyof typeof tokens, made: { id: string; state: Values }) {
  return cloud.provider.delete({ type: tokens[type], name: "one", id: made.id, state: made.state });
}

/** Valid arguments of a network, subnetwork, cluster and node pool. */
export const fitting = {
  network: { name: "k8sfv", autoCreateSubnetworks: false },
  subnetwork: {
    name: "k8sfv",
    network: "k8sfv",
    ipCidrRange: "10.248.0.0/20",
    secondaryIpRanges: [
      { rangeName: "pods", ipCidrRange: "10.252.0.0/16" },
      { rangeName: "services", ipCidrRange: "10.249.0.0/20" },
    ],
  },
  cluster: {
    name: "k8sfv",
    network: "k8sfv",
    subnetwork: "k8sfv",
    ipAllocationPolicy: { clusterSecondaryRangeName: "pods", servicesSecondaryRangeName: "services" },
    removeDefaultNodePool: true,
    initialNodeCount: 1,
    deletionProtection: false,
    masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
  },
  pool: { name: "nodes", cluster: "k8sfv", nodeCount: 2, nodeConfig: { machineType: "e2-standard-2" } },
};

/** Returns a cloud with a network and a subnetwork. */
export async function cloudWithNetwork() {
  const cloud = testCloud();
  const network = await make(cloud, "Network", fitting.network);
  const subnetwork = await make(cloud, "Subnetwork", fitting.subnetwork);
  return { cloud, network, subnetwork };
}
