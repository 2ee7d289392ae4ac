import { stringify } from "yaml";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import type { Stack } from "../../config/stacks.ts";
import { images } from "../../versions.ts";
import { freePlan } from "./address-plan.ts";

/** Values that only the user knows. */
export interface Answers {
  /** Name of the stack, the cluster and the network, and prefix of the names of disks and addresses. */
  name: string;
  /** Google project ID. */
  project: string;
  /** Google region, e.g. "us-central1". */
  region: string;
  /** Google zone. @default zone b of the region */
  zone?: string;
  /** IPv4 ranges of the CI hosts. */
  ciRanges: string[];
  /** VPCs of the project from which hosts push, e.g. "default". */
  peers: string[];
  /** Number of nodes. @default 2 */
  nodes?: number | string;
  /** Size of Prometheus' disk in GiB. @default 200 */
  prometheusGb?: number | string;
}

/** Pulumi project name, the namespace of the configuration keys. */
export const PROJECT = "k8sfv-metrics";

/**
 * Returns a new stack's file: stack-specific values, and defaults for the rest.
 *
 * @param others existing stack files
 * @throws ConfigError with all problems in one message, as in a preview
 */
export function stackFile(answers: Answers, others: Stack[]): string {
  const {
    name,
    project,
    region,
    zone = `${region}-b`,
    ciRanges,
    peers,
    nodes = 2,
    prometheusGb = 200,
  } = answers;
  const { network, addresses } = freePlan(others, ciRanges);
  const version = images.operator.split(":")[1] ?? "";
  const raw = {
    project,
    region,
    zone,
    cluster: { name, nodeCount: nodes },
    network: { ...network, ...(peers.length === 0 ? {} : { peers }) },
    addresses,
    disks: { prometheusGb },
    ciSourceRanges: [network.primaryCidr, ...ciRanges],
    crds: `https://raw.githubusercontent.com/prometheus-operator/prometheus-operator/${version}/example/prometheus-operator-crd`,
  };
  const config = Object.fromEntries(Object.entries(raw).map(([key, value]) => [`${PROJECT}:${key}`, value]));
  const flat = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  parseConfig(Object.fromEntries(flat) as Record<string, string>, PROJECT, {}, SECRET_KEYS, { name, others });
  return stringify({ config });
}
