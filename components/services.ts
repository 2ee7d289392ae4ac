import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";

/** What a Service needs to know. */
export interface ServiceArgs {
  /** The Service's name, also its name in the cluster's DNS. */
  serviceName: string;
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** Its labels; what they select answers. */
  labels: Labels;
  /** Which pods answer. @default those of `labels.selector` */
  selector?: Record<string, string>;
  /** The port, by which it is reached and, by name, the pods'. */
  port: { name: string; number: number };
  /** Whether pods get connections that say they are not ready. @default false */
  publishNotReadyAddresses?: boolean;
}

/** What a Service with a permanent internal address needs to know. */
export interface InternalServiceArgs extends ServiceArgs {
  /** The reserved address. */
  address: pulumi.Input<string>;
  /** IPv4 ranges that may connect from outside the cluster. */
  sourceRanges: string[];
}

const INTERNAL = {
  "networking.gke.io/load-balancer-type": "Internal",
  // Else machines of other regions, in this VPC and in peers, would get no answer.
  "networking.gke.io/internal-load-balancer-allow-global-access": "true",
};

/** A Service on a reserved address of the VPC, by an internal load balancer: no way in from the internet. */
export function internalService(
  name: string,
  args: InternalServiceArgs,
  opts: pulumi.CustomResourceOptions,
): Service {
  const { metadata, spec } = serviceInputs(args);
  return new Service(
    name,
    {
      metadata: { ...metadata, annotations: INTERNAL },
      spec: {
        ...spec,
        type: "LoadBalancer",
        loadBalancerIP: args.address,
        loadBalancerSourceRanges: args.sourceRanges,
        // Only the node that has the pod answers, and the pod sees who really asks: without this a node
        // would put its own address in the place of the client's, and no policy could tell them apart.
        externalTrafficPolicy: "Local",
      },
    },
    opts,
  );
}

/** A Service for the cluster's own pods. */
export function clusterService(name: string, args: ServiceArgs, opts: pulumi.CustomResourceOptions): Service {
  return new Service(name, serviceInputs(args), opts);
}

/**
 * A Service without an address of its own, for those who look for its pods. Nothing is to be waited for, and the
 * provider's wait would harm: for such a Service it takes the first answer of a watch that may have begun before
 * the change, and so can keep what was there before it in the state (its provider/pkg/await/service.go, await).
 */
export function headlessService(
  name: string,
  args: ServiceArgs,
  opts: pulumi.CustomResourceOptions,
): Service {
  const { metadata, spec } = serviceInputs(args);
  return new Service(
    name,
    {
      metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { ...spec, clusterIP: "None" },
    },
    opts,
  );
}

function serviceInputs({ serviceName, namespace, labels, selector, port, ...args }: ServiceArgs) {
  return {
    metadata: { name: serviceName, namespace, labels: labels.all },
    spec: {
      selector: selector ?? labels.selector,
      ports: [{ name: port.name, port: port.number, targetPort: port.name, protocol: "TCP" }],
      ...(args.publishNotReadyAddresses === true ? { publishNotReadyAddresses: true } : {}),
    },
  };
}
