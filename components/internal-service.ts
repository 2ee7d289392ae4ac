import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";

/** What a Service with a permanent internal address needs to know. */
export interface InternalServiceArgs {
  /** The Service's name, also its name in the cluster's DNS. */
  serviceName: string;
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** Its labels. */
  labels: Labels["all"];
  /** Which pods answer. */
  selector: Record<string, string>;
  /** The reserved address. */
  address: pulumi.Input<string>;
  /** IPv4 ranges that may connect from outside the cluster. */
  sourceRanges: string[];
  /** The port, by which it is reached and, by name, the pods'. */
  port: { name: string; number: number };
}

/** A Service on a reserved address of the VPC, by an internal load balancer: no way in from the internet. */
export function internalService(
  name: string,
  args: InternalServiceArgs,
  opts: pulumi.CustomResourceOptions,
): Service {
  return new Service(
    name,
    {
      metadata: {
        name: args.serviceName,
        namespace: args.namespace,
        labels: args.labels,
        annotations: { "networking.gke.io/load-balancer-type": "Internal" },
      },
      spec: {
        type: "LoadBalancer",
        loadBalancerIP: args.address,
        loadBalancerSourceRanges: args.sourceRanges,
        selector: args.selector,
        ports: [
          { name: args.port.name, port: args.port.number, targetPort: args.port.name, protocol: "TCP" },
        ],
      },
    },
    opts,
  );
}
