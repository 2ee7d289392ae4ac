import { Address } from "@pulumi/gcp/compute/address.js";
import * as pulumi from "@pulumi/pulumi";

import type { AddressesConfig } from "../config/schema-cloud.ts";
import type { StackLabels } from "./stack-labels.ts";

/** Arguments of the reserved addresses. */
export interface AddressesArgs extends AddressesConfig {
  /** Prefix of the addresses' names. */
  prefix: string;
  /** Google region of the subnetwork. */
  region: string;
  /** Self link of the nodes' subnetwork. GKE rejects an address of another subnetwork (ingress-gce#1057). */
  subnetworkLink: pulumi.Input<string>;
  /** Labels of the addresses. */
  labels: StackLabels;
}

/**
 * Reserves the three internal addresses that CI and people use for years, so that Google assigns them to nothing else.
 */
export class Addresses extends pulumi.ComponentResource {
  /** The Pushgateway's address. */
  readonly pushGateway: pulumi.Output<string>;
  /** Address of Prometheus. */
  readonly prometheus: pulumi.Output<string>;
  /** Address of Grafana. */
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
