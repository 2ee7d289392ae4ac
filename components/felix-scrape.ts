import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import * as pulumi from "@pulumi/pulumi";
import type { FelixConfig } from "../config/schema.ts";
import { FELIX_JOB } from "../lib/workloads.ts";
import type { Operator } from "./operator.ts";

/** Arguments of the FelixScrape component. */
export interface FelixScrapeArgs extends FelixConfig {
  /** Namespace of Prometheus. */
  namespace: pulumi.Input<string>;
  /** Operator whose CRDs include ScrapeConfig. */
  operator: Operator;
}

/** Maximum series of one target. A scrape of more series fails, so that a wrong target can't fill Prometheus's disk. */
const MAX_SERIES = 20_000;

/**
 * Scrapes the metrics that Felix exposes during a run, as job `felix`. Scrapes between runs fail, so no alert rule
 * selects this job.
 */
export class FelixScrape extends pulumi.ComponentResource {
  constructor(name: string, args: FelixScrapeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:FelixScrape", name, {}, opts);
    new CustomResource(
      `${name}-config`,
      {
        apiVersion: "monitoring.coreos.com/v1alpha1",
        kind: "ScrapeConfig",
        metadata: { name: FELIX_JOB, namespace: args.namespace },
        spec: {
          jobName: FELIX_JOB,
          scrapeInterval: `${args.intervalSeconds}s`,
          // Prometheus's default is 10 s, but Prometheus rejects a timeout that is longer than the interval.
          scrapeTimeout: `${Math.min(args.intervalSeconds, 10)}s`,
          sampleLimit: MAX_SERIES,
          staticConfigs: [{ targets: args.targets }],
        },
      },
      { parent: this, dependsOn: [args.operator.crds] },
    );
    this.registerOutputs({});
  }
}
