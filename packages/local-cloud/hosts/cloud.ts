import path from "node:path";

/** Parent directory of all local clouds. It is not below /var because every emulated host has its own /var. */
export const cloudsDir = "/srv/k8sfv-cloud";

/** Paths of one local cloud. The files and directories need not exist. */
export interface Cloud {
  /** Name of the local cloud, e.g. `local`. */
  readonly name: string;
  /** Root directory: the cloud writes no files outside it. */
  readonly dir: string;
  /** Parent cgroup of all containers, relative to the root of each cgroup hierarchy. */
  readonly cgroup: string;
  /** Directory of the binaries that the hosts run. */
  readonly binDir: string;
  /** Directory of bundled background programs, each in a subdirectory. */
  readonly programsDir: string;
  /** Symbolic link to the image store that seeds the nodes. */
  readonly imageStore: string;
  /**
   * Directory of the Prometheus Operator's CRDs. The local stack's configuration contains the paths of the files in it.
   */
  readonly crdsDir: string;
  /** Directory of the compute disks, one subdirectory per zone and disk. Disks outlive clusters. */
  readonly disksDir: string;
  /** Directory of the disk snapshots, one subdirectory each. */
  readonly snapshotsDir: string;
  /** File of the emulated Google account's access token; only root can read it. */
  readonly accessTokenFile: string;
  /** File of the emulated Google API's resources. */
  readonly googleFile: string;
  /** Certificates, data and logs of the cluster's control plane. */
  readonly clusterDir: string;
  /** Kubeconfig of a cluster-admin with a client certificate, for the local cloud itself. */
  readonly adminKubeconfig: string;
  /** Parent directory of each host's data and logs. */
  readonly hostsDir: string;
  /** Parent directory of the Pulumi engine's home and state. */
  readonly pulumiDir: string;
  /** The engine's PULUMI_HOME, which holds its plugins. */
  readonly pulumiHome: string;
}

/**
 * Returns the paths of the local cloud with that name; creates nothing.
 *
 * @param name 1 to 20 lowercase letters, digits and hyphens, starting with a letter; the limit keeps socket
 * paths short
 * @throws Error when the name has another form
 */
export function openCloud(name: string): Cloud {
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name)) {
    throw new Error(
      `K8SFV_CLOUD: "${name}" is not a valid name for a local cloud: use up to 20 lowercase letters, digits and ` +
        `hyphens, starting with a letter`,
    );
  }
  const dir = path.join(cloudsDir, name);
  const below = (...parts: string[]): string => path.join(dir, ...parts);
  return {
    name,
    dir,
    cgroup: `/k8sfv-cloud-${name}`,
    binDir: below("bin"),
    programsDir: below("programs"),
    imageStore: below("images"),
    crdsDir: below("crds"),
    disksDir: below("disks"),
    snapshotsDir: below("snapshots"),
    accessTokenFile: below("access-token"),
    googleFile: below("google.json"),
    clusterDir: below("cluster"),
    adminKubeconfig: below("cluster", "admin.kubeconfig"),
    hostsDir: below("machines"),
    pulumiDir: below("pulumi"),
    pulumiHome: below("pulumi", "home"),
  };
}
