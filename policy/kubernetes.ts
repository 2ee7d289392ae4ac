import type { ServiceArgs } from "@pulumi/kubernetes/core/v1/service.js";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import { inexactImage } from "./images.ts";
import type { Container, InstanceSpec, PodSpec } from "./pods.ts";
import { addedContainers, containersOf, isInstance, makesPods, podOf } from "./pods.ts";
import { tooOpen } from "./ranges.ts";
import { ifKnown, on, onAny, validate } from "./rule.ts";
import type { TypedCheck } from "./rule.ts";

/** A resource of the Prometheus Operator. */
interface Instance {
  spec?: InstanceSpec;
}

/**
 * Load balancers must restrict their source ranges. The Pushgateway accepts metrics from any client, so a load balancer
 * without source ranges would let all clients in the network or on the internet write to the history. A Gateway has no
 * field for source ranges, so only internal Gateways are allowed, which the internet can't reach. ingresses.ts has the
 * rule for Ingresses.
 */
export const loadBalancersNameTheirSources: ResourceValidationPolicy = {
  name: "load-balancers-name-their-sources",
  description: "Load balancers admit only listed source ranges.",
  validateResource: validate(
    on("kubernetes:core/v1:Service", serviceNamesSources),
    onAny(isGateway, gatewayIsInternal),
  ),
};

function serviceNamesSources({ spec }: Unwrap<ServiceArgs>): string[] {
  if (spec?.type !== "LoadBalancer") return [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length === 0) {
    return ["It admits all addresses. List the allowed ranges in spec.loadBalancerSourceRanges."];
  }
  return ranges
    .map(tooOpen)
    .filter((problem) => problem !== undefined)
    .map((problem) => `${problem}. Use narrower ranges in spec.loadBalancerSourceRanges.`);
}

/** Returns whether a type is a Gateway of any API version. */
function isGateway(type: string): boolean {
  return /^kubernetes:gateway\.networking\.k8s\.io\/.+:Gateway$/.test(type);
}

/**
 * Reports a Gateway unless its class is internal.
 * cloud.google.com/kubernetes-engine/docs/concepts/gateway-api lists the classes.
 */
function gatewayIsInternal({ spec }: { spec?: { gatewayClassName?: string } }): string[] {
  if (/-rilb$|-internal-/.test(spec?.gatewayClassName ?? "")) return [];
  return [
    "It is open to the internet. Set spec.gatewayClassName to gke-l7-rilb, " +
      "or use a Service of type LoadBalancer with spec.loadBalancerSourceRanges.",
  ];
}

/** Returns checks of pod specs, and of the Prometheus Operator's resources, which configure pods. */
function onPods(
  ofPod: (pod: PodSpec) => string[],
  ofInstance: (instance: InstanceSpec) => string[],
): TypedCheck[] {
  return [
    onAny(makesPods, (inputs: unknown, { type }) => {
      const pod = podOf(type, inputs);
      return pod === undefined ? [] : ofPod(pod);
    }),
    onAny(isInstance, ({ spec = {} }: Instance) => ofInstance(spec)),
  ];
}

/**
 * Images must have a full version or a digest. With a tag that moves, a restarted pod could run another, untested
 * version without any change of the program.
 */
export const imagesAreExact: ResourceValidationPolicy = {
  name: "images-are-exact",
  description: "Images have a full version or a digest.",
  validateResource: validate(
    ...onPods(
      (pod) => containersOf(pod).flatMap((one) => [...imageIsExact(one), ...passedImageIsExact(one)]),
      (spec) => [...exact(spec.image, "spec.image"), ...addedContainers(spec).flatMap(imageIsExact)],
    ),
  ),
};

function imageIsExact({ name, image }: Container): string[] {
  return exact(image, `the image of the container "${name}"`);
}

/** Checks the image of the config reloader, which is an argument of the Prometheus operator's container. */
function passedImageIsExact({ name, args = [] }: Container): string[] {
  // Reads the arguments one by one, because some may still be unknown.
  const known = Array.from({ length: args.length }, (_, at) => ifKnown(() => args[at]) ?? "");
  return known.flatMap((argument) => {
    const image = /^--prometheus-config-reloader=(.+)$/.exec(argument)?.[1];
    return image === undefined ? [] : exact(image, `the argument ${argument} of the container "${name}"`);
  });
}

function exact(image: string | undefined, where: string): string[] {
  const problem = inexactImage(image);
  return problem === undefined
    ? []
    : [`${problem}. Set ${where} to an image with a tag like v1.2.3 or a digest.`];
}

/**
 * Containers must have resource requests and a memory limit. Without requests, the scheduler may put all pods on one
 * node. Without a memory limit, a container that leaks memory takes it from other pods until the kernel kills them. A
 * CPU limit isn't required, because it only prevents the use of idle cores.
 */
export const containersSayWhatTheyNeed: ResourceValidationPolicy = {
  name: "containers-say-what-they-need",
  description: "Containers have requests for CPU and memory, and a memory limit.",
  validateResource: validate(
    ...onPods(
      (pod) => containersOf(pod).flatMap(needsAreSaid),
      (spec) => [
        ...missingNeeds(spec.resources, "spec.resources"),
        ...addedContainers(spec).flatMap(needsAreSaid),
      ],
    ),
  ),
};

function needsAreSaid({ name, resources }: Container): string[] {
  return missingNeeds(resources, `resources of the container "${name}"`);
}

function missingNeeds(resources: Container["resources"], where: string): string[] {
  const wanted = [
    ["requests.cpu", resources?.requests?.["cpu"]],
    ["requests.memory", resources?.requests?.["memory"]],
    ["limits.memory", resources?.limits?.["memory"]],
  ] as const;
  const missing = wanted.filter(([, value]) => value === undefined).map(([key]) => key);
  if (missing.length === 0) return [];
  return [`Requests or limits are missing. Set ${missing.join(", ")} in ${where}.`];
}

/**
 * Containers must run as a non-root user, with the default seccomp profile, a read-only root file system and no
 * capabilities, and can't gain privileges. Pods must not share a namespace with their node or mount its directories. So
 * an attacker in a container isn't root and can't replace programs. These are the main rules of the Pod Security
 * Standard "restricted". Not checked are its other rules, such as those on host ports, sysctls, SELinux and AppArmor.
 */
export const containersAreConfined: ResourceValidationPolicy = {
  name: "containers-are-confined",
  description:
    "Containers run without root, privileges, a writable root file system, or directories of the node.",
  validateResource: validate(
    ...onPods(
      (pod) => [
        ...hostIsApart(pod),
        ...containersOf(pod).flatMap((one) => isConfined(one, pod.securityContext)),
      ],
      // The containers that the Prometheus Operator adds to its pods are not checked, because it sets their security
      // context itself.
      (spec) => [
        ...hostIsApart(spec),
        ...confinementProblem("The pod that the operator creates", userIsConfined({}, spec.securityContext)),
        ...addedContainers(spec).flatMap((one) => isConfined(one, spec.securityContext)),
      ],
    ),
  ),
};

/** Fields of pods that give access to the node. */
type HostAccess = Pick<PodSpec, "hostNetwork" | "hostPID" | "hostIPC" | "volumes">;

function hostIsApart(pod: HostAccess): string[] {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((key) => pod[key] === true);
  const mounted = (pod.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined);
  return [
    ...shared.map((key) => `Its pods share a namespace of the node. Remove ${key}.`),
    ...mounted.map(
      ({ name }) => `Its pods can read a directory of the node. Remove hostPath from the volume "${name}".`,
    ),
  ];
}

function isConfined(container: Container, pod: PodSpec["securityContext"]): string[] {
  const own = container.securityContext ?? {};
  const fixes = [
    ...userIsConfined(own, pod),
    ...(own.readOnlyRootFilesystem === true ? [] : ["set readOnlyRootFilesystem to true"]),
    ...(own.allowPrivilegeEscalation === false ? [] : ["set allowPrivilegeEscalation to false"]),
    ...(own.privileged === true ? ["remove privileged"] : []),
    ...(own.capabilities?.drop?.includes("ALL") === true ? [] : ['set capabilities.drop to ["ALL"]']),
    ...((own.capabilities?.add ?? []).length === 0 ? [] : ["remove capabilities.add"]),
  ];
  return confinementProblem(`The container "${container.name}"`, fixes);
}

function confinementProblem(subject: string, fixes: string[]): string[] {
  if (fixes.length === 0) return [];
  return [`${subject} has more privileges than it needs. In its securityContext, ${fixes.join(", ")}.`];
}

/**
 * Returns the fixes for `runAsNonRoot`, `runAsUser` and `seccompProfile`, which a container inherits from its
 * pod if they are unset.
 */
function userIsConfined(
  own: NonNullable<Container["securityContext"]>,
  pod: PodSpec["securityContext"],
): string[] {
  const nonRoot = own.runAsNonRoot ?? pod?.runAsNonRoot;
  const user = own.runAsUser ?? pod?.runAsUser;
  const seccomp = own.seccompProfile ?? pod?.seccompProfile;
  return [
    ...(nonRoot === true ? [] : ["set runAsNonRoot to true"]),
    ...(user === 0 ? ["set runAsUser to a non-root user"] : []),
    ...(seccomp?.type === "RuntimeDefault" ? [] : ["set seccompProfile.type to RuntimeDefault"]),
  ];
}

export const kubernetesPolicies = [
  loadBalancersNameTheirSources,
  imagesAreExact,
  containersSayWhatTheyNeed,
  containersAreConfined,
];
