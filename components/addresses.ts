import { Address } from "@pulumi/gcp/compute/address.js";
import * as pulumi from "@pulumi/pulumi";

import type { StackLabels } from "./stack-labels.ts";

/** Arguments of the reserved addresses. */
export interface AddressesArgs {
  /** Prefix of the addresses' names. */
  prefix: string;
  /** Google region, the subnetwork's. */
  region: string;
  /** Self link of the nodes' own subnetwork: an address of another is refused (ingress-gce#1057). */
  subnetworkLink: pulumi.Input<string>;
  /** Labels of the addresses. */
  labels: StackLabels;
  /** Internal address of the push gateway, in the subnetwork's primary range. */
  pushGateway: string;
  /** Internal address of Prometheus. */
  prometheus: string;
  /** Internal address of Grafana. */
  grafana: string;
}

/** The three internal addresses that CI and people keep for years: reserved, so nothing else takes them. */
export class Addresses extends pulumi.ComponentResource {
  /** The push gateway's address. */
  readonly pushGateway: pulumi.Output<string>;
  /** Prometheus' address. */
  readonly prometheus: pulumi.Output<string>;
  /** Grafana's address. */
  readonly grafana: pulumi.Output<string>;

  constructor(name: string, args: AddressesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Addresses", name, {}, opts);

    const reserve = (what: string, address: string) =>
      new Address(
        `${name}-${what}`,
        {
          name: `${args.prefix}-${what}`,
          description: `The permanent address of the ${what} of ${args.prefix}`,
          region: args.region,
          subnetwork: args.subnetworkLink,
          addressType: "INTERNAL",
          purpose: "GCE_ENDPOINT",
          address,
          labels: args.labels,
        },
        { parent: this },
      ).address;

    this.pushGateway = reserve("push-gateway", args.pushGateway);
    this.prometheus = reserve("prometheus", args.prometheus);
    this.grafana = reserve("grafana", args.grafana);
    this.registerOutputs({
      pushGateway: this.pushGateway,
      prometheus: this.prometheus,
      grafana: this.grafana,
    });
  }
}
