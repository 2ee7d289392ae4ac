import * as pulumi from "@pulumi/pulumi";
import { forwardToPod } from "./pod-forward.ts";
import type { Tunnel } from "./tunnel.ts";
import { openTunnel } from "./tunnel.ts";

/** What it takes to reach Grafana's API from where this program runs. */
export interface GrafanaAccessArgs {
  /** "tunnel": through the Kubernetes API while the program runs. "direct": its own address is in reach. */
  access: "tunnel" | "direct";
  /** Port of 127.0.0.1 for the tunnel. */
  tunnelPort: number;
  /** Grafana's own URL. */
  url: pulumi.Output<string>;
  /** How the Kubernetes API is reached. */
  kubeconfig: pulumi.Output<string>;
  /** The namespace Grafana lives in. */
  namespace: pulumi.Output<string>;
  /** Labels of Grafana's pods. */
  podLabels: Record<string, string>;
  /** Port of Grafana in its pod. */
  podPort: number;
  /** What runs Grafana: nothing is reached before it is up. */
  deployment: pulumi.CustomResource;
}

/** A way to Grafana's API. */
export interface GrafanaAccess {
  /** Where the provider finds it: known from the first run on, and the same in every later one. */
  url: pulumi.Output<string>;
  /**
   * Closes the way when all of these are done. Without this the provider's idle connection keeps the
   * program alive for another 90 s.
   */
  closeAfter(content: pulumi.Resource[]): void;
}

/**
 * Grafana is inside the VPC, this program is outside. The provider's URL is derived from the Deployment,
 * since the engine ignores `dependsOn` on a provider (pulumi#8917).
 */
export function reachGrafana(args: GrafanaAccessArgs): GrafanaAccess {
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
 * A preview listens too, and waits for nothing: alone it calls nobody, but with `--refresh` the provider reads
 * what is in Grafana. A port that is taken is no reason to refuse a preview, only to say what it can't do.
 */
async function open(args: GrafanaAccessArgs, kubeconfig: string, namespace: string): Promise<Tunnel> {
  const forward = forwardToPod({ kubeconfig, namespace, podLabels: args.podLabels, port: args.podPort });
  const opened = openTunnel(args.tunnelPort, forward, (message) => {
    void pulumi.log.warn(`No way to Grafana: ${message}`);
  });
  if (!pulumi.runtime.isDryRun()) return opened;
  return opened.catch((error: unknown) => {
    void pulumi.log.info(`This preview can't look into Grafana: ${String(error)}`);
    return { url: `http://127.0.0.1:${args.tunnelPort}`, settle: () => undefined };
  });
}
