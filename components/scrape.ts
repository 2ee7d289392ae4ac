import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";

/** What a scrape needs to know. */
export interface ScrapeArgs {
  /** The namespace of the Service. */
  namespace: pulumi.Input<string>;
  /** The Service's name, which becomes the `job`; also the `instance`. */
  serviceName: string;
  /** The Service's labels. */
  labels: Labels;
  /** The Service's port to scrape, by name: a ServiceMonitor knows no numbers. */
  port: string;
  /** More about how it is scraped. @default nothing */
  endpoint?: Record<string, pulumi.Input<unknown>>;
  /** Another page of metrics behind the same port, with a `job` of its own. @default none */
  more?: { job: string; endpoint: Record<string, pulumi.Input<unknown>> };
  /** Whose definitions it needs. */
  crds: pulumi.Resource;
}

/**
 * A scrape of a Service, every 10 s. The labels that a scrape adds say which pod answered: with them a series
 * of five years would be another one each time the pod is. They are taken off the target; `instance` can't be
 * (Prometheus would fill in the pod's address), so it gets a value that stays.
 */
export function scrape(
  name: string,
  args: ScrapeArgs,
  opts: pulumi.CustomResourceOptions & { parent: pulumi.Resource },
): CustomResource {
  const { namespace, serviceName, labels, port, endpoint, more } = args;
  const relabelings = [
    { action: "labeldrop", regex: "pod|container|endpoint|namespace|service" },
    { action: "replace", targetLabel: "instance", replacement: serviceName },
  ];
  const job = (value: string) => ({ action: "replace", targetLabel: "job", replacement: value });
  return new CustomResource(
    name,
    {
      apiVersion: "monitoring.coreos.com/v1",
      kind: "ServiceMonitor",
      metadata: { name: serviceName, namespace, labels: labels.all },
      spec: {
        selector: { matchLabels: labels.selector },
        endpoints: [
          { port, relabelings, ...endpoint },
          ...(more === undefined
            ? []
            : [{ port, relabelings: [...relabelings, job(more.job)], ...more.endpoint }]),
        ],
      },
    },
    { dependsOn: [args.crds], ...opts },
  );
}
