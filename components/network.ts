import { Firewall } from "@pulumi/gcp/compute/firewall.js";
import { Network as VpcNetwork } from "@pulumi/gcp/compute/network.js";
import { Router } from "@pulumi/gcp/compute/router.js";
import { RouterNat } from "@pulumi/gcp/compute/routerNat.js";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork.js";
import * as pulumi from "@pulumi/pulumi";

/** What the network needs to know. */
export interface NetworkArgs {
  /** The VPC's name; everything in it is named after it. RFC 1035, as Google wants it. */
  networkName: string;
  /** Google region of the subnetwork, e.g. "us-central1". */
  region: string;
  /** Addresses of nodes, CI machines and the reserved addresses, e.g. "10.248.0.0/20". */
  primaryCidr: string;
  /** Addresses of pods, a /24 a node. */
  podCidr: string;
  /** Addresses of Services inside the cluster. */
  serviceCidr: string;
}

/** Where Google's Identity-Aware Proxy comes from: cloud.google.com/iap/docs/using-tcp-forwarding. */
const IAP_RANGE = "35.235.240.0/20";

/** The tag of a CI machine that people may reach by `gcloud compute ssh`. */
export const CI_MACHINE_TAG = "k8sfv-ci";

/**
 * A VPC of its own: one subnetwork with ranges for pods and Services, and a NAT, since private nodes
 * have no other way to the image registries. Google refuses incoming traffic that no rule allows; GKE
 * makes the rules of its nodes and load balancers itself, so the only one here is SSH to CI machines.
 */
export class Network extends pulumi.ComponentResource {
  /** The VPC's self link. */
  readonly networkLink: pulumi.Output<string>;
  /** The subnetwork's self link. */
  readonly subnetworkLink: pulumi.Output<string>;
  /** Name of the secondary range for pods. */
  readonly podRangeName: string;
  /** Name of the secondary range for Services. */
  readonly serviceRangeName: string;
  /** The way out of the private nodes: without it they can pull no image. */
  readonly nat: RouterNat;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Network", name, args, opts);
    const parent = { parent: this };

    const network = new VpcNetwork(
      `${name}-vpc`,
      { name: args.networkName, autoCreateSubnetworks: false, routingMode: "REGIONAL" },
      parent,
    );
    this.podRangeName = `${args.networkName}-pods`;
    this.serviceRangeName = `${args.networkName}-services`;
    const subnetwork = new Subnetwork(
      `${name}-subnetwork`,
      {
        name: args.networkName,
        network: network.selfLink,
        region: args.region,
        ipCidrRange: args.primaryCidr,
        privateIpGoogleAccess: true,
        secondaryIpRanges: [
          { rangeName: this.podRangeName, ipCidrRange: args.podCidr },
          { rangeName: this.serviceRangeName, ipCidrRange: args.serviceCidr },
        ],
      },
      parent,
    );
    this.nat = this.makeWayOut(name, args, network);
    new Firewall(
      `${name}-ssh-to-ci`,
      {
        name: `${args.networkName}-ssh-to-ci`,
        description: "SSH through Google's Identity-Aware Proxy, to CI machines only",
        network: network.selfLink,
        direction: "INGRESS",
        sourceRanges: [IAP_RANGE],
        targetTags: [CI_MACHINE_TAG],
        allows: [{ protocol: "tcp", ports: ["22"] }],
      },
      parent,
    );

    this.networkLink = network.selfLink;
    this.subnetworkLink = subnetwork.selfLink;
    this.registerOutputs({ networkLink: this.networkLink, subnetworkLink: this.subnetworkLink });
  }

  private makeWayOut(name: string, args: NetworkArgs, network: VpcNetwork): RouterNat {
    const router = new Router(
      `${name}-router`,
      { name: args.networkName, network: network.selfLink, region: args.region },
      { parent: this },
    );
    return new RouterNat(
      `${name}-nat`,
      {
        name: args.networkName,
        router: router.name,
        region: args.region,
        natIpAllocateOption: "AUTO_ONLY",
        sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
        logConfig: { enable: true, filter: "ERRORS_ONLY" },
      },
      { parent: this },
    );
  }
}
