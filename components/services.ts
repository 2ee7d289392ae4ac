import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "./conventions.ts";

/** Arguments of a Service. */
export interface ServiceArgs {
  /** Name of the Service, also in the cluster's DNS. */
  serviceName: string;
  /** Namespace of the Service. */
  namespace: pulumi.Input<string>;
  /** Labels of the Service, and the default selector. */
  labels: Labels;
  /** Selector of the pods. @default `labels.selector` */
  selector?: Record<string, string>;
  /** Port number of the Service. Its name is also the name of the pods' port. */
  port: { name: string; number: number };
  /** Whether connections also go to pods that aren't ready. @default false */
  publishNotReadyAddresses?: boolean;
}

/** Arguments of a Service with a reserved internal address. */
export interface InternalServiceArgs extends ServiceArgs {
  /** Reserved address. */
  address: pulumi.Input<string>;
  /** IPv4 ranges that may connect from outside the cluster. */
  sourceRanges: string[];
}

const INTERNAL = {
  "networking.gke.io/load-balancer-type": "Internal",
  // Without this, clients in other regions of this VPC and of peered ones can't connect.
  "networking.gke.io/internal-load-balancer-allow-global-access": "true",
};

/** Creates a Service on a reserved address of the VPC, with an internal load balancer. */
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
        // With "Cluster", a node would replace the client's address with its own, and network policies couldn't
        // distinguish clients.
        externalTrafficPolicy: "Local",
      },
    },
    opts,
  );
}

/** Creates a Service for the cluster's own pods. */
export function clusterService(name: string, args: ServiceArgs, opts: pulumi.CustomResourceOptions): Service {
  return new Service(name, serviceInputs(args), opts);
}

/**
 * Creates a headless Service, for service discovery. `skipAwait` prevents a bug in the provider's wait: it takes the
 * first
 * event of a watch that may have begun before the change, and so could save an outdated state
 * (provider/pkg/await/service.go, await).
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
