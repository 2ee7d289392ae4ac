import path from "node:path";

/** Folder under which every local cloud has a folder of its own. Not in /var: a machine has a /var of its own. */
export const cloudsDir = "/srv/k8sfv-cloud";

/** Where the parts of one local cloud lie. Only paths: nothing of it needs to exist. */
export interface Cloud {
  /** Name of the instance, e.g. `local`. */
  readonly name: string;
  /** Everything the cloud writes lies below this folder. */
  readonly dir: string;
  /** Links to the binaries that its machines run. */
  readonly binDir: string;
  /** Link to the store of images that its nodes are given. */
  readonly imageStore: string;
  /** Copies of the operator's CRDs, which the local stack's config names. */
  readonly crdsDir: string;
  /** A folder a compute disk, in one of its zone; it outlives clusters. */
  readonly disksDir: string;
  /** A folder a snapshot of a disk. */
  readonly snapshotsDir: string;
  /** The token of the emulated Google account; readable by root alone. */
  readonly accessTokenFile: string;
  /** Resources of the emulated Google API. */
  readonly googleFile: string;
  /** Certificates, data and logs of the cluster's control plane. */
  readonly clusterDir: string;
  /** A client's configuration with all rights on the cluster, by certificate: for the cloud's own use. */
  readonly adminKubeconfig: string;
  /** Data and logs of each machine. */
  readonly machinesDir: string;
  /** Home and state of the Pulumi engine. */
  readonly pulumiDir: string;
  /** PULUMI_HOME of that engine: its plugins. */
  readonly pulumiHome: string;
}

/**
 * The local cloud of that name. Creates nothing.
 *
 * @param name at most 20 lower-case letters, digits and hyphens, since it becomes part of socket paths
 * @throws Error when the name is not of that form
 */
export function openCloud(name: string): Cloud {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(
      `K8SFV_CLOUD: "${name}" can't name a local cloud: use up to 20 lower-case letters, digits and hyphens, ` +
        `the first a letter`,
    );
  }
  const dir = path.join(cloudsDir, name);
  const below = (...parts: string[]): string => path.join(dir, ...parts);
  return {
    name,
    dir,
    binDir: below("bin"),
    imageStore: below("images"),
    crdsDir: below("crds"),
    disksDir: below("disks"),
    snapshotsDir: below("snapshots"),
    accessTokenFile: below("access-token"),
    googleFile: below("google.json"),
    clusterDir: below("cluster"),
    adminKubeconfig: below("cluster", "admin.kubeconfig"),
    machinesDir: below("machines"),
    pulumiDir: below("pulumi"),
    pulumiHome: below("pulumi", "home"),
  };
}
