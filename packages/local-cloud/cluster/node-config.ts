import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pauseImage } from "../images/index.ts";
import { hostCgroup } from "../hosts/cgroups.ts";
import type { Cloud } from "../hosts/cloud.ts";
import type { ClusterSpec } from "./records/cluster.ts";
import { hostDir, type Unit } from "../hosts/host.ts";
import type { NodeSpec } from "./records/nodes.ts";

/** CNI plugins of Debian's package containernetworking-plugins. */
const cniBinDir = "/usr/lib/cni";

/** Credentials of a kubelet, the CA that it trusts and the address of the cluster's DNS. */
export interface KubeletIdentity {
  cert: string;
  key: string;
  authority: string;
  dns: string;
}

/**
 * Environment of the cluster's own programs. They collect garbage more often than by default (GOGC=100), which saves
 * memory and costs little CPU time in an idle cluster.
 */
export const goEnv = { GOGC: "25" };
/**
 * Environment of the API server. With GOGC=50, it needs 75 MiB less than by default. With 25, it would need another
 * 30 MiB less, but twice as much CPU time. A GOMEMLIMIT of 210 MiB made it collect garbage all the time.
 */
export const apiServerEnv = { GOGC: "50" };

/** Returns the processes that run on a node. */
export function nodeUnits(cloud: Cloud, node: NodeSpec): Unit[] {
  const file = (name: string): string => path.join(hostDir(cloud, node.name), "etc", name);
  const bin = (name: string): string => path.join(cloud.binDir, name);
  const labels = Object.entries(node.labels).map(([key, value]) => `${key}=${value}`);
  return [
    { name: "containerd", env: goEnv, argv: ["containerd", "--config", file("containerd.toml")] },
    {
      name: "kubelet",
      env: goEnv,
      argv: [
        bin("kubelet"),
        `--config=${file("kubelet.yaml")}`,
        `--kubeconfig=${file("kubelet.kubeconfig")}`,
        `--hostname-override=${node.name}`,
        `--node-ip=${node.address}`,
        `--node-labels=${labels.join(",")}`,
      ],
    },
    {
      name: "kube-proxy",
      env: goEnv,
      argv: [bin("kube-proxy"), `--config=${file("kube-proxy.yaml")}`, `--hostname-override=${node.name}`],
    },
  ];
}

/** Writes a node's configuration files; scripts are executable. */
export async function writeNodeConfig(dir: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dir, "etc", name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { mode: text.startsWith("#!") ? 0o700 : 0o600 });
  }
}

/** Returns the configuration files of the node's containerd, runc, kubelet, kube-proxy and pod network, by name. */
export function kubeletConfig(
  cloud: Cloud,
  cluster: ClusterSpec,
  node: NodeSpec,
  identity: KubeletIdentity,
): Record<string, string> {
  const etc = path.join(hostDir(cloud, node.name), "etc");
  return {
    "containerd.toml": containerdConfig(etc),
    runc: runcWrapper(hostCgroup(cloud, node.name)),
    "cni/10-pods.conflist": podNetwork(node),
    "resolv.conf": "",
    "kubelet.yaml": JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: identity.authority },
      },
      authorization: { mode: "Webhook" },
      tlsCertFile: identity.cert,
      tlsPrivateKeyFile: identity.key,
      clusterDNS: [identity.dns],
      clusterDomain: "cluster.local",
      resolvConf: path.join(etc, "resolv.conf"),
      containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
      // The developer's computer may use cgroup v1, v2 or the hybrid hierarchy.
      failCgroupV1: false,
      cgroupDriver: "cgroupfs",
      cgroupRoot: hostCgroup(cloud, node.name),
      cgroupsPerQOS: false,
      enforceNodeAllocatable: [],
      failSwapOn: false,
      // All nodes use the computer's disk, which contains other files too, so its usage must not cause evictions.
      evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%" },
      imageGCHighThresholdPercent: 100,
      imageMinimumGCAge: "24h",
      volumePluginDir: "/var/lib/kubelet/volume-plugins",
      nodeStatusUpdateFrequency: "5s",
      rotateCertificates: false,
    }),
    "kube-proxy.yaml": JSON.stringify({
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clientConnection: { kubeconfig: path.join(etc, "kube-proxy.kubeconfig") },
      clusterCIDR: cluster.podCidr,
      mode: "iptables",
      // With zeros, kube-proxy keeps the kernel's settings. With other values it would exit on most kernels, which
      // reject setting nf_conntrack_max in a node's network namespace.
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    }),
  };
}

/**
 * Returns a script that calls runc, but replaces containerd's default cgroup of a container, /k8s.io/ID, by one in the
 * given cgroup. The default doesn't show to which cloud a container belongs. The kubelet's setting `cgroupRoot` doesn't
 * change the default, because with `cgroupsPerQOS: false` the kubelet requests no parent cgroup.
 */
export function runcWrapper(cgroup: string): string {
  return `#!/bin/sh
previous=
for argument; do
  if [ "$previous" = --bundle ]; then
    sed -i 's|"cgroupsPath":"/k8s.io/|"cgroupsPath":"${cgroup}/|' "$argument/config.json" || exit
  fi
  previous=$argument
done
exec runc "$@"
`;
}

function containerdConfig(etc: string): string {
  return `version = 2
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # runc needs CAP_SYS_RESOURCE to set an OOM score below containerd's. Without it, runc fails with "EOF".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  # As on GKE: CoreDNS listens on port 53 without NET_BIND_SERVICE.
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniBinDir}"
    conf_dir = "${path.join(etc, "cni")}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "${path.join(etc, "runc")}"
`;
}

/** CNI configuration: one veth link per pod, all traffic routed as on GKE, without a bridge or masquerading. */
function podNetwork(node: NodeSpec): string {
  return JSON.stringify({
    cniVersion: "0.4.0",
    name: "pods",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: node.podCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: "/run/cni-ipam",
        },
      },
    ],
  });
}
