import { Netmask } from "netmask";
import type { Stack } from "../../config/stacks.ts";
import { valueAt } from "../../config/problems.ts";
import { overlap, parseCidr } from "../../lib/cidr.ts";

/** Ranges and reserved addresses in a stack file. */
export interface AddressPlan {
  network: { primaryCidr: string; podCidr: string; serviceCidr: string };
  addresses: { pushGateway: string; prometheus: string; grafana: string };
}

/**
 * Keys of ranges that must not overlap between stacks, because a VPC, such as that of the CI hosts, can't be peered
 * with two VPCs whose ranges overlap.
 */
const RANGE_KEYS = ["primaryCidr", "podCidr", "serviceCidr", "controlPlaneCidr"];
/**
 * Second octets of the available blocks 10.N.0.0/14. They are below 10.128.0.0/9, which auto mode VPCs use
 * (cloud.google.com/vpc/docs/vpc#auto-mode-considerations).
 */
const BLOCKS = Array.from({ length: 31 }, (_, n) => 120 - 4 * n).filter((block) => block > 0);

/**
 * Returns an address block that no other stack and no CI host uses: a /20 for nodes and load balancers, a /16
 * for pods (a /24 per node) and a /20 for Services.
 *
 * @param taken additional ranges in use in CIDR notation, e.g. those of the CI hosts
 * @throws Error when no block is free
 */
export function freePlan(others: Stack[], taken: string[]): AddressPlan {
  const used = [...others.flatMap(({ raw }) => rangesOf(raw)), ...taken].flatMap(
    (text) => parseCidr(text) ?? [],
  );
  const block = BLOCKS.find((n) => !used.some((range) => overlap(new Netmask(`10.${n}.0.0/14`), range)));
  if (block === undefined) {
    throw new Error(
      "No block of addresses in 10.0.0.0/9 is free: write the stack's file by hand (docs/configuration.md)",
    );
  }
  return {
    network: {
      primaryCidr: `10.${block}.0.0/20`,
      podCidr: `10.${block + 1}.0.0/16`,
      serviceCidr: `10.${block + 2}.0.0/20`,
    },
    addresses: {
      pushGateway: `10.${block}.1.4`,
      prometheus: `10.${block}.1.6`,
      grafana: `10.${block}.1.7`,
    },
  };
}

function rangesOf(raw: unknown): string[] {
  return RANGE_KEYS.map((key) => valueAt(raw, ["network", key])).filter((value) => typeof value === "string");
}
