import { existsSync } from "node:fs";
import {
  CoreV1Api,
  CustomObjectsApi,
  NetworkingV1Api,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Ingress,
} from "@kubernetes/client-node";
import type { Cloud } from "../../hosts/cloud.ts";
import { Authority, type KeyPair } from "../../support/pki.ts";
import { internetAuthorityDir, serveHosts, startFrontEnd, stopFrontEnd, type VirtualHost } from "./hosts.ts";
import { readyEndpoints, type ClusterCache } from "../records/cluster-cache.ts";
import { findGlobalResource } from "./global-resources.ts";

const annotation = {
  class: "kubernetes.io/ingress.class",
  address: "kubernetes.io/ingress.global-static-ip-name",
  certificates: "networking.gke.io/managed-certificates",
  frontend: "networking.gke.io/v1beta1.FrontendConfig",
  backend: "cloud.google.com/backend-config",
} as const;
/** Google's defaults for fields that a BackendConfig omits. */
const defaults = { timeoutSec: 30, healthCheckPath: "/" };

interface FrontendConfig {
  spec?: { redirectToHttps?: { enabled?: boolean } };
}

interface BackendConfig {
  spec?: {
    securityPolicy?: { name?: string };
    timeoutSec?: number;
    healthCheck?: { requestPath?: string; port?: number };
  };
}

interface ManagedCertificate {
  metadata: { name: string };
  spec: { domains: string[] };
  status?: { certificateStatus?: string };
}

/**
 * Emulates GKE's Ingress controller for Ingresses of class "gce". Supports the reserved global address, managed
 * certificates, the redirect to HTTPS, and each backend's security policy, health check and timeout. Each host must
 * have only one Service, at path "/". The emulated load balancer ("front end") runs only while the cluster has an
 * Ingress of this class.
 */
export class IngressController {
  private readonly core: CoreV1Api;
  private readonly networking: NetworkingV1Api;
  private readonly objects: CustomObjectsApi;
  /** PIDs of the running front end, and a JSON text of the virtual hosts that it serves. */
  private running: { pids: number[]; hosts: string } | undefined;
  /** Whether a front end of an earlier agent process may still run. */
  private mayBeLeftOver = true;
  private readonly issued = new Map<string, KeyPair>();

  constructor(
    private readonly cloud: Cloud,
    config: KubeConfig,
    private readonly watched: ClusterCache,
  ) {
    this.core = config.makeApiClient(CoreV1Api);
    this.networking = config.makeApiClient(NetworkingV1Api);
    this.objects = config.makeApiClient(CustomObjectsApi);
  }

  /** Configures the front end according to the cluster's current Ingresses. */
  async reconcile(): Promise<void> {
    const ingresses = this.watched
      .ingresses()
      .filter(({ metadata }) => metadata?.annotations?.[annotation.class] === "gce");
    if (ingresses.length === 0) {
      if (this.running === undefined && !this.mayBeLeftOver) return;
      await stopFrontEnd(this.cloud);
      [this.running, this.mayBeLeftOver] = [undefined, false];
      return;
    }
    if (!this.running?.pids.every((pid) => existsSync(`/proc/${pid}`))) {
      this.issued.clear();
      this.running = { pids: await startFrontEnd(this.cloud), hosts: "" };
    }
    const hosts = (await Promise.all(ingresses.map((ingress) => this.hostsOf(ingress)))).flat();
    if (JSON.stringify(hosts) !== this.running.hosts) {
      await serveHosts(this.cloud, hosts);
      this.running.hosts = JSON.stringify(hosts);
    }
    for (const ingress of ingresses) await this.writeStatus(ingress, await this.addressOf(ingress));
  }

  /** Returns the reserved address that the Ingress names, or undefined if the address does not exist. */
  private async addressOf({ metadata }: V1Ingress): Promise<string | undefined> {
    return findGlobalResource(this.cloud, "addresses", metadata?.annotations?.[annotation.address]);
  }

  private async hostsOf(ingress: V1Ingress): Promise<VirtualHost[]> {
    const { namespace = "", annotations = {} } = ingress.metadata ?? {};
    const address = await this.addressOf(ingress);
    if (address === undefined) return [];
    const frontend = await this.read<FrontendConfig>(
      ["networking.gke.io", "v1beta1", "frontendconfigs"],
      namespace,
      annotations[annotation.frontend],
    );
    const certificates = await this.certify(namespace, annotations[annotation.certificates]);
    const hosts = (ingress.spec?.rules ?? []).map(async ({ host = "", http }) => {
      const service = http?.paths[0]?.backend.service;
      const backend = await this.backendOf(namespace, service?.name ?? "");
      const { healthCheck, securityPolicy, timeoutSec = defaults.timeoutSec } = backend?.spec ?? {};
      // Container-native load balancing: the front end connects to pods, not to the Service.
      const endpoints = readyEndpoints(this.watched, namespace, service?.name);
      const rules = await findGlobalResource(this.cloud, "securityPolicies", securityPolicy?.name);
      // As on GKE, this is an error: the load balancer keeps its previous configuration until the policy exists.
      if (securityPolicy?.name !== undefined && rules === undefined) {
        throw new Error(`${host}: security policy ${securityPolicy.name} does not exist`);
      }
      return {
        address,
        host,
        certificate: certificates.get(host),
        redirectToHttps: frontend?.spec?.redirectToHttps?.enabled === true,
        rules: rules ?? [],
        healthCheck: {
          path: healthCheck?.requestPath ?? defaults.healthCheckPath,
          port: healthCheck?.port ?? service?.port?.number ?? 0,
        },
        timeoutMs: timeoutSec * 1000,
        endpoints: endpoints.map(({ address: pod, port }) => `${pod}:${port}`),
      };
    });
    return Promise.all(hosts);
  }

  /**
   * Issues the certificates of the ManagedCertificates with these comma-separated names and updates their status.
   *
   * @returns certificates by domain
   */
  private async certify(namespace: string, names = ""): Promise<Map<string, KeyPair>> {
    const kind = ["networking.gke.io", "v1", "managedcertificates"] as const;
    const domains = new Map<string, KeyPair>();
    for (const name of names.split(",").filter((one) => one !== "")) {
      const found = await this.read<ManagedCertificate>(kind, namespace, name.trim());
      if (found === undefined) continue;
      for (const domain of found.spec.domains) {
        const pair = this.issued.get(domain) ?? (await this.issue(domain));
        this.issued.set(domain, pair);
        domains.set(domain, pair);
      }
      if (found.status?.certificateStatus === "Active") continue;
      const domainStatus = found.spec.domains.map((domain) => ({ domain, status: "Active" }));
      const [group, version, plural] = kind;
      await this.objects.patchNamespacedCustomObject(
        {
          ...{ group, version, plural, namespace, name: found.metadata.name },
          body: { status: { certificateStatus: "Active", domainStatus } },
        },
        setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
      );
    }
    return domains;
  }

  private async issue(domain: string): Promise<KeyPair> {
    const authority = await Authority.open(internetAuthorityDir(this.cloud));
    return authority.issue(domain, { commonName: domain, dnsNames: [domain] });
  }

  private async backendOf(namespace: string, service: string): Promise<BackendConfig | undefined> {
    const { metadata } = await this.core.readNamespacedService({ namespace, name: service });
    const named = JSON.parse(metadata?.annotations?.[annotation.backend] ?? "{}") as { default?: string };
    const kind = ["cloud.google.com", "v1", "backendconfigs"] as const;
    const found = await this.read<BackendConfig>(kind, namespace, named.default);
    if (named.default !== undefined && found === undefined) {
      throw new Error(`Service ${service}: BackendConfig ${named.default} does not exist`);
    }
    return found;
  }

  /** Returns a custom object, or undefined if it does not exist. */
  private async read<T>(
    [group, version, plural]: readonly [string, string, string],
    namespace: string,
    name: string | undefined,
  ): Promise<T | undefined> {
    if (name === undefined) return undefined;
    const subject = { group, version, plural, namespace, name };
    try {
      return (await this.objects.getNamespacedCustomObject(subject)) as T;
    } catch (error) {
      if ((error as { code?: unknown }).code === 404) return undefined;
      throw error;
    }
  }

  /** Writes the address into the Ingress's status. */
  private async writeStatus(ingress: V1Ingress, address: string | undefined): Promise<void> {
    const now = ingress.status?.loadBalancer?.ingress?.[0]?.ip;
    if (address === undefined || now === address) return;
    await this.networking.patchNamespacedIngressStatus(
      {
        name: ingress.metadata?.name ?? "",
        namespace: ingress.metadata?.namespace ?? "",
        body: { status: { loadBalancer: { ingress: [{ ip: address }] } } },
      },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  }
}
