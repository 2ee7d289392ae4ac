import { Firewall } from "@pulumi/gcp/compute/firewall.js";
import { Network as Vpc } from "@pulumi/gcp/compute/network.js";
import { NetworkPeering } from "@pulumi/gcp/compute/networkPeering.js";
import { Router } from "@pulumi/gcp/compute/router.js";
import { RouterNat } from "@pulumi/gcp/compute/routerNat.js";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork.js";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkConfig } from "../config/schema-cloud.ts";

/** Arguments of the Network component. */
export interface NetworkArgs extends Pick<NetworkConfig, "primaryCidr" | "podCidr" | "serviceCidr"> {
  /** Google project id. */
  project: string;
  /** Name of the created resources, including the VPC. An RFC 1035 label, as Google requires. */
  networkName: string;
  /** Name of an existing VPC of the project. @default a VPC is created */
  existingVpc?: string;
  /** Names of VPCs of the project to peer with, e.g. the one of CI. @default none */
  peers?: string[];
  /** Google region of the subnetwork, e.g. "us-central1". */
  region: string;
  /** Enabled APIs, which the network depends on. */
  apis: pulumi.Input<pulumi.Resource[]>;
}

/** Source addresses of Google's Identity-Aware Proxy (cloud.google.com/iap/docs/using-tcp-forwarding). */
const IAP_RANGE = "35.235.240.0/20";

/** Network tag of CI machines that accept `gcloud compute ssh`. */
export const CI_MACHINE_TAG = "k8sfv-ci";

/**
 * Creates a VPC, or uses an existing one, with one subnetwork that has ranges for pods and Services. Cloud NAT for that
 * subnetwork gives private nodes egress to image registries. Google denies ingress that no firewall rule allows, and
 * GKE creates the rules of its nodes and load balancers, so the only rule here allows SSH to CI machines.
 */
export class Network extends pulumi.ComponentResource {
  /** Self link of the VPC. */
  readonly networkLink: pulumi.Output<string>;
  /** Self link of the subnetwork. */
  readonly subnetworkLink: pulumi.Output<string>;
  /** Name of the secondary range for pods. */
  readonly podRangeName: string;
  /** Name of the secondary range for Services. */
  readonly serviceRangeName: string;
  /** Cloud NAT of the private nodes, which they need to pull images. */
  readonly nat: RouterNat;
  /**
   * Peerings with other VPCs, both halves of each. A cluster must depend on the peerings, because Google rejects
   * concurrent changes of routes.
   */
  readonly peerings: NetworkPeering[];

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Network", name, {}, opts);
    const vpc = this.makeVpc(name, args);
    this.networkLink = vpc?.selfLink ?? pulumi.output(linkOf(args.project, args.existingVpc ?? ""));
    this.podRangeName = `${args.networkName}-pods`;
    this.serviceRangeName = `${args.networkName}-services`;
    const subnetwork = new Subnetwork(
      `${name}-subnetwork`,
      {
        name: args.networkName,
        network: this.networkLink,
        region: args.region,
        ipCidrRange: args.primaryCidr,
        privateIpGoogleAccess: true,
        secondaryIpRanges: [
          { rangeName: this.podRangeName, ipCidrRange: args.podCidr },
          { rangeName: this.serviceRangeName, ipCidrRange: args.serviceCidr },
        ],
      },
      { parent: this, dependsOn: args.apis },
    );
    this.peerings = vpc === undefined ? [] : this.makePeerings(name, args, vpc, subnetwork);
    this.nat = this.makeNat(name, args, subnetwork);
    new Firewall(
      `${name}-ssh-to-ci`,
      {
        name: `${args.networkName}-ssh-to-ci`,
        description: "SSH through Google's Identity-Aware Proxy, to CI machines only",
        network: this.networkLink,
        direction: "INGRESS",
        sourceRanges: [IAP_RANGE],
        targetTags: [CI_MACHINE_TAG],
        allows: [{ protocol: "tcp", ports: ["22"] }],
      },
      { parent: this, dependsOn: args.apis },
    );

    this.subnetworkLink = subnetwork.selfLink;
    this.registerOutputs({ networkLink: this.networkLink, subnetworkLink: this.subnetworkLink });
  }

  /** Creates the VPC, unless there is an existing one. */
  private makeVpc(name: string, args: NetworkArgs): Vpc | undefined {
    if (args.existingVpc !== undefined) return undefined;
    return new Vpc(
      `${name}-vpc`,
      { name: args.networkName, autoCreateSubnetworks: false, routingMode: "REGIONAL" },
      { parent: this, dependsOn: args.apis },
    );
  }

  /**
   * Creates both halves of each peering, one after the other and after the subnetwork. While routes of either network
   * change, Google responds with 400 ("There is a route operation in progress"), and the provider doesn't retry
   * (terraform-provider-google#3034).
   */
  private makePeerings(name: string, args: NetworkArgs, vpc: Vpc, subnetwork: Subnetwork): NetworkPeering[] {
    const peerings: NetworkPeering[] = [];
    const peer = (
      suffix: string,
      peeringName: string,
      network: pulumi.Input<string>,
      peerNetwork: typeof network,
    ) =>
      peerings.push(
        new NetworkPeering(
          `${name}-peering-${suffix}`,
          { name: peeringName, network, peerNetwork },
          { parent: this, dependsOn: [subnetwork, ...peerings.slice(-1)] },
        ),
      );
    for (const other of args.peers ?? []) {
      const link = linkOf(args.project, other);
      peer(`to-${other}`, `${args.networkName}-to-${other}`, vpc.selfLink, link);
      peer(`from-${other}`, `${other}-to-${args.networkName}`, link, vpc.selfLink);
    }
    return peerings;
  }

  private makeNat(name: string, args: NetworkArgs, subnetwork: Subnetwork): RouterNat {
    const router = new Router(
      `${name}-router`,
      { name: args.networkName, network: this.networkLink, region: args.region },
      { parent: this, dependsOn: args.apis },
    );
    return new RouterNat(
      `${name}-nat`,
      {
        name: args.networkName,
        router: router.name,
        region: args.region,
        natIpAllocateOption: "AUTO_ONLY",
        // An existing VPC may already have a NAT gateway for its other subnetworks.
        sourceSubnetworkIpRangesToNat: "LIST_OF_SUBNETWORKS",
        subnetworks: [{ name: subnetwork.selfLink, sourceIpRangesToNats: ["ALL_IP_RANGES"] }],
        logConfig: { enable: true, filter: "ERRORS_ONLY" },
      },
      { parent: this },
    );
  }
}

function linkOf(project: string, vpc: string): string {
  return `https://www.googleapis.com/compute/v1/projects/${project}/global/networks/${vpc}`;
}
