import { stringify } from "yaml";
import { parseConfig } from "../../config.ts";
import { SECRET_KEYS } from "../../config/schema.ts";
import type { Stack } from "../../config/stacks.ts";
import { images } from "../../versions.ts";
import { freePlan } from "./address-plan.ts";

/** Answers to what only the team knows. */
export interface Answers {
  /** The stack's name, also the prefix of all names in Google Cloud. */
  name: string;
  /** Google project id. */
  project: string;
  /** Google region, e.g. "us-central1". */
  region: string;
  /** Google zone. @default zone b of the region */
  zone?: string;
  /** IPv4 ranges of the CI machines. */
  ciRanges: string[];
  /** VPCs of the project whose machines push, e.g. "default". */
  peers: string[];
}

/** Pulumi's project, the namespace of the keys. */
export const PROJECT = "k8sfv-metrics";

/**
 * The text of a stack's file: what differs between stacks, and defaults for the rest.
 *
 * @param others - the stacks that have a file
 * @throws ConfigError that names every problem at once, as in a preview
 */
export function stackFile(answers: Answers, others: Stack[]): string {
  const { name, project, region, zone = `${region}-b`, ciRanges, peers } = answers;
  const { network, addresses } = freePlan(others, ciRanges);
  const version = images.operator.split(":")[1] ?? "";
  const raw = {
    project,
    region,
    zone,
    cluster: { name, nodeCount: 2 },
    network: { ...network, ...(peers.length === 0 ? {} : { peers }) },
    addresses,
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
