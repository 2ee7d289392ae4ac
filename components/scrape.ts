import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";

/** Arguments of scrape. */
export interface ScrapeArgs {
  /** Namespace of the Service. */
  namespace: pulumi.Input<string>;
  /** Name of the ServiceMonitor, and with a single port the label `instance` of its target. */
  serviceName: string;
  /** Value of the label `job`. @default name of the Service that `labels` select */
  job?: string;
  /** Labels of the Service. */
  labels: Labels;
  /**
   * Names of the Service's ports with metrics. A ServiceMonitor selects a port by name, not by number. With a single
   * port, the label `instance` is `serviceName`, so the Service must have only one pod. With several ports, each
   * belongs to a different container of the pod, and `instance` is POD/CONTAINER.
   */
  ports: string[];
  /** Additional fields of the endpoint. @default none */
  endpoint?: Record<string, pulumi.Input<unknown>>;
  /** A second scrape endpoint on each of the ports, and the value of its label `job`. @default none */
  more?: { job: string; endpoint: Record<string, pulumi.Input<unknown>> };
  /** The operator's CRDs. */
  crds: pulumi.Resource;
}

const CONTAINER = ["__meta_kubernetes_pod_name", "__meta_kubernetes_pod_container_name"];

/**
 * Scrapes a Service every 10 s. Drops the target labels that name the pod, so that series continue when a pod is
 * replaced. Sets the label `instance` to a stable value and doesn't drop it, because Prometheus replaces a missing
 * `instance` with the pod's address.
 */
export function scrape(
  name: string,
  args: ScrapeArgs,
  opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): CustomResource {
  const { namespace, serviceName, labels, ports, endpoint, more } = args;
  const instance =
    ports.length === 1
      ? { action: "replace", targetLabel: "instance", replacement: serviceName }
      : { action: "replace", targetLabel: "instance", sourceLabels: CONTAINER, separator: "/" };
  const job = (value: string) => ({ action: "replace", targetLabel: "job", replacement: value });
  const relabelings = [
    { action: "labeldrop", regex: "pod|container|endpoint|namespace|service" },
    instance,
    ...(args.job === undefined ? [] : [job(args.job)]),
  ];
  return new CustomResource(
    name,
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: { name: serviceName, namespace, labels: labels.all },
      spec: {
        selector: { matchLabels: labels.selector },
        endpoints: ports.flatMap((port) => [
          { port, relabelings, ...endpoint },
          ...(more === undefined
            ? []
            : [{ port, relabelings: [...relabelings, job(more.job)], ...more.endpoint }]),
        ]),
      },
    },
    { dependsOn: [args.crds], ...opts },
  );
}
