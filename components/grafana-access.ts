import * as pulumi from "@pulumi/pulumi";
import type { GrafanaConfig } from "../config/schema.ts";
import { forwardToPod } from "../lib/pod-forward.ts";
import type { Tunnel } from "../lib/tunnel.ts";
import { openTunnel } from "../lib/tunnel.ts";

/** Arguments of openGrafanaAccess. */
export interface GrafanaAccessArgs extends Pick<GrafanaConfig, "access" | "tunnelPort"> {
  /** Grafana's URL inside the VPC. */
  url: pulumi.Output<string>;
  /** Kubeconfig for the tunnel to Grafana's pod through the Kubernetes API. */
  kubeconfig: pulumi.Output<string>;
  /** Namespace of Grafana. */
  namespace: pulumi.Output<string>;
  /** Labels of Grafana's pods. */
  podLabels: Record<string, string>;
  /** Grafana's port in its pod. */
  podPort: number;
  /** Grafana's Deployment. openGrafanaAccess waits until it is available. */
  deployment: pulumi.CustomResource;
}

/** Access to Grafana's API from the program. */
export interface GrafanaAccess {
  /** URL for Grafana's provider. It is the same in each run, so that the provider doesn't change. */
  url: pulumi.Output<string>;
  /**
   * Closes the tunnel's connections after all these resources have been created or updated. Otherwise the idle
   * connection of Grafana's provider would keep the program running for another 90 s.
   */
  closeAfter(content: pulumi.Resource[]): void;
}

/**
 * Opens access to Grafana, which is inside the VPC: directly if `access` is "direct", otherwise through a tunnel to
 * Grafana's pod. The URL is an Output that depends on the Deployment, so that Grafana's provider waits until Grafana is
 * available: the engine ignores `dependsOn` of a provider (pulumi#8917).
 */
export function openGrafanaAccess(args: GrafanaAccessArgs): GrafanaAccess {
  if (args.access === "direct") {
    const url = pulumi.all([args.url, args.deployment.id]).apply(([direct]) => direct);
    return { url, closeAfter: () => undefined };
  }
  const tunnel = pulumi
    .all([args.kubeconfig, args.namespace, args.deployment.id])
    .apply(([kubeconfig, namespace]) => open(args, kubeconfig, namespace));
  return {
    url: pulumi.unsecret(tunnel.apply(({ url }) => url)),
    closeAfter(content) {
      pulumi.all([tunnel, pulumi.all(content.map((resource) => resource.urn))]).apply(([opened]) => {
        opened.settle();
      });
    },
  };
}

/**
 * Opens the tunnel, in a preview too, because `pulumi preview --refresh` reads resources in Grafana. In a preview an
 * error, such as a port in use, is only logged, because a preview without `--refresh` doesn't need the tunnel.
 */
async function open(args: GrafanaAccessArgs, kubeconfig: string, namespace: string): Promise<Tunnel> {
  const forward = forwardToPod({ kubeconfig, namespace, podLabels: args.podLabels, port: args.podPort });
  const opened = openTunnel(args.tunnelPort, forward, (message) => {
    void pulumi.log.warn(`Can't reach Grafana: ${message}`);
  });
  if (!pulumi.runtime.isDryRun()) return opened;
  return opened.catch((error: unknown) => {
    void pulumi.log.info(`This preview can't read Grafana's content: ${String(error)}`);
    return { url: `http://127.0.0.1:${args.tunnelPort}`, settle: () => undefined };
  });
}
