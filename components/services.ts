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
  /** Ports of the Service. Their names are also the names of the pods' ports. */
  ports: { name: string; number: number }[];
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
  // Without global access, only clients in the load balancer's region can connect, both from this VPC and from peered
  // VPCs.
  "networking.gke.io/internal-load-balancer-allow-global-access": "true",
};

/**
 * Annotation that ends the provider's wait for a Service as soon as the load balancer has an address. By default, the
 * provider also waits until the Service's endpoints have not changed for 10 s (provider/pkg/await/service.go). This is
 * not needed, because the engine waits for the workload's pods anyway.
 */
const AWAIT_LOAD_BALANCER = { "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0].ip}" };

const SKIP_AWAIT = { "pulumi.com/skipAwait": "true" };

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
      metadata: { ...metadata, annotations: { ...INTERNAL, ...AWAIT_LOAD_BALANCER } },
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

/** Creates a Service that can be reached only inside the cluster. The engine doesn't wait for its endpoints. */
export function clusterService(name: string, args: ServiceArgs, opts: pulumi.CustomResourceOptions): Service {
  const { metadata, spec } = serviceInputs(args);
  return new Service(name, { metadata: { ...metadata, annotations: SKIP_AWAIT }, spec }, opts);
}

/**
 * Creates a headless Service, for service discovery. `skipAwait` avoids a bug in the provider's wait: the provider
 * takes the first event of a watch as the Service's new state, but the watch may have begun before the change
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
      metadata: { ...metadata, annotations: SKIP_AWAIT },
      spec: { ...spec, clusterIP: "None" },
    },
    opts,
  );
}

function serviceInputs({ serviceName, namespace, labels, selector, ports }: ServiceArgs) {
  return {
    metadata: { name: serviceName, namespace, labels: labels.all },
    spec: {
      selector: selector ?? labels.selector,
      ports: ports.map(({ name, number }) => ({ name, port: number, targetPort: name, protocol: "TCP" })),
    },
  };
}
