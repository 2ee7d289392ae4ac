import { generateKeyPairSync } from "node:crypto";
import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Health, KubeConfig } from "@kubernetes/client-node";
import type { Cloud } from "../hosts/cloud.ts";
import { applyAddons } from "./addons.ts";
import { startAgent } from "./agent.ts";
import { startForwarder } from "../hosts/forward.ts";
import { stopFrontEnd } from "./front-end/hosts.ts";
import { removeHost, startHost, volumesBind, type Unit } from "../hosts/host.ts";
import { attachToVpc, readNetwork } from "../hosts/network.ts";
import { Authority } from "../support/pki.ts";
import {
  controlPlaneHost,
  dnsAddress,
  findCluster,
  kubeconfig,
  pkiDir,
  serviceAddress,
  writeCluster,
  type ClusterSpec,
} from "./records/cluster.ts";
import { findProcesses, killProcesses } from "../hosts/processes.ts";
import { apiServerEnv, goEnv } from "./node-config.ts";

/** Endpoint and CA of the cluster's API server. */
export interface ClusterAccess {
  /** `127.0.0.1:PORT`, reachable from the computer's own network. */
  endpoint: string;
  /** Base64-encoded PEM, as in a GKE cluster's `masterAuth.clusterCaCertificate`. */
  caCertificate: string;
}

const securePort = 443;
/**
 * Timeout in milliseconds of the control plane's start. On two busy cores it took 5 s; slower computers need longer.
 */
const readyTimeoutMs = 90_000;

/**
 * Starts the control plane and the add-ons of a new GKE cluster: DNS, storage and load balancers. Parts that
 * run already are left unchanged, so the function also restarts a cluster after a crash.
 *
 * @throws Error if the cloud has another cluster already, or if the cluster is not ready after 90 s
 */
export async function startCluster(cloud: Cloud, spec: ClusterSpec): Promise<ClusterAccess> {
  const known = await findCluster(cloud);
  if (known !== undefined && known.name !== spec.name) {
    throw new Error(
      `Local cloud ${cloud.name} already runs the cluster "${known.name}" and can run only one: delete it first`,
    );
  }
  await mkdir(cloud.clusterDir, { recursive: true, mode: 0o700 });
  await writeCluster(cloud, spec);
  const authority = await Authority.open(pkiDir(cloud));
  await startHost(cloud, {
    name: controlPlaneHost,
    ...attachToVpc(cloud, controlPlaneHost, await readNetwork(cloud), spec.address),
    binds: [volumesBind(cloud)],
    units: await controlPlaneUnits(cloud, spec, authority),
  });
  const [port] = await startForwarder(cloud, "api", controlPlaneHost, [
    { host: spec.address, targetPort: securePort },
  ]);
  const endpoint = `127.0.0.1:${port}`;
  const kubeConfig = await writeAdminKubeconfig(cloud, authority, endpoint);
  await waitUntilReady(cloud, kubeConfig);
  await applyAddons(kubeConfig, dnsAddress(spec.serviceCidr));
  await startAgent(cloud);
  return { endpoint, caCertificate: Buffer.from(authority.certificatePem).toString("base64") };
}

/** Stops the control plane and removes the cluster's data. Disks are kept. */
export async function stopCluster(cloud: Cloud): Promise<void> {
  for (const role of ["agent", "forward:api"]) await killProcesses(await findProcesses(cloud, role));
  await stopFrontEnd(cloud);
  await removeHost(cloud, controlPlaneHost);
  await rm(cloud.clusterDir, { recursive: true, force: true });
}

async function controlPlaneUnits(cloud: Cloud, spec: ClusterSpec, authority: Authority): Promise<Unit[]> {
  const bin = (name: string): string => path.join(cloud.binDir, name);
  const server = await authority.issue("apiserver", {
    commonName: "kube-apiserver",
    ips: [spec.address, serviceAddress(spec.serviceCidr, 1), "127.0.0.1"],
    dnsNames: ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"],
  });
  const kubeletClient = await authority.issue("apiserver-kubelet-client", {
    commonName: "kube-apiserver-kubelet-client",
    organization: "system:masters",
  });
  const serviceAccountKey = await ensureServiceAccountKey(cloud);
  const clientFlags = async (name: string): Promise<string[]> => {
    const file = path.join(cloud.clusterDir, `${name}.kubeconfig`);
    const keys = await authority.issue(name, { commonName: `system:${name}` });
    await writeFile(file, kubeconfig(`https://127.0.0.1:${securePort}`, authority, keys), { mode: 0o600 });
    return [
      `--kubeconfig=${file}`,
      `--authentication-kubeconfig=${file}`,
      `--authorization-kubeconfig=${file}`,
    ];
  };
  return [
    {
      name: "etcd",
      env: goEnv,
      argv: [
        bin("etcd"),
        `--data-dir=${path.join(cloud.clusterDir, "etcd")}`,
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=default=http://127.0.0.1:2380",
        // Without fsync, etcd starts three times as fast on a slow disk. Data survives a crash of any process, but not
        // a crash of the computer.
        "--unsafe-no-fsync",
        // With the defaults, 10,000 and 5,000, etcd keeps up to 15,000 changes in memory.
        "--snapshot-count=1000",
        "--snapshot-catchup-entries=100",
        "--log-level=warn",
      ],
    },
    {
      name: "kube-apiserver",
      env: apiServerEnv,
      argv: [
        bin("kube-apiserver"),
        "--etcd-servers=http://127.0.0.1:2379",
        `--advertise-address=${spec.address}`,
        `--secure-port=${securePort}`,
        `--service-cluster-ip-range=${spec.serviceCidr}`,
        `--tls-cert-file=${server.cert}`,
        `--tls-private-key-file=${server.key}`,
        `--client-ca-file=${authority.certificateFile}`,
        `--token-auth-file=${await writeTokenFile(cloud)}`,
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        // The cache saves etcd work in large clusters. Here it would only cost 45 MiB.
        "--watch-cache=false",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        `--kubelet-certificate-authority=${authority.certificateFile}`,
        `--kubelet-client-certificate=${kubeletClient.cert}`,
        `--kubelet-client-key=${kubeletClient.key}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        `--service-account-key-file=${serviceAccountKey}`,
        `--service-account-signing-key-file=${serviceAccountKey}`,
      ],
    },
    {
      name: "kube-controller-manager",
      env: goEnv,
      argv: [
        bin("kube-controller-manager"),
        ...(await clientFlags("kube-controller-manager")),
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        `--root-ca-file=${authority.certificateFile}`,
        `--service-account-private-key-file=${serviceAccountKey}`,
        "--enable-hostpath-provisioner=true",
        // A binding that fails because the volume has just changed is retried after this period. The default is 15 s.
        "--pvclaimbinder-sync-period=1s",
      ],
    },
    {
      name: "kube-scheduler",
      env: goEnv,
      argv: [bin("kube-scheduler"), ...(await clientFlags("kube-scheduler")), "--leader-elect=false"],
    },
  ];
}

async function writeAdminKubeconfig(
  cloud: Cloud,
  authority: Authority,
  endpoint: string,
): Promise<KubeConfig> {
  const keys = await authority.issue("admin", { commonName: "local-cloud", organization: "system:masters" });
  const file = cloud.adminKubeconfig;
  await writeFile(file, kubeconfig(`https://${endpoint}`, authority, keys), { mode: 0o600 });
  const config = new KubeConfig();
  config.loadFromFile(file);
  return config;
}

async function ensureServiceAccountKey(cloud: Cloud): Promise<string> {
  const file = path.join(pkiDir(cloud), "service-accounts.key");
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    await writeFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  }
  return file;
}

/**
 * Writes the API server's token file, which gives the emulated Google account the rights of the role Kubernetes Engine
 * Admin.
 *
 * @returns the file's path
 */
async function writeTokenFile(cloud: Cloud): Promise<string> {
  const file = path.join(cloud.clusterDir, "tokens.csv");
  const token = (await readFile(cloud.accessTokenFile, "utf8")).trim();
  await writeFile(file, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  return file;
}

async function waitUntilReady(cloud: Cloud, config: KubeConfig): Promise<void> {
  const health = new Health(config);
  const deadline = Date.now() + readyTimeoutMs;
  while (!(await health.readyz({ timeout: 2000 }).catch(() => false))) {
    if (Date.now() > deadline) {
      throw new Error(
        `The control plane is not ready after ${readyTimeoutMs / 1000} s; its logs are in ` +
          path.join(cloud.hostsDir, controlPlaneHost),
      );
    }
    await sleep(100);
  }
}
