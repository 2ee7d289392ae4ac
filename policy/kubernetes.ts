import type { ServiceArgs } from "@pulumi/kubernetes/core/v1/service.js";
import type { ResourceValidationPolicy } from "@pulumi/policy";
import type { Unwrap } from "@pulumi/pulumi";
import { inexact } from "./images.ts";
import type { Container, InstanceSpec, PodSpec } from "./pods.ts";
import { addedContainers, containersOf, isInstance, makesPods, podOf } from "./pods.ts";
import { tooOpen } from "./ranges.ts";
import { ifKnown, on, onAny, validate } from "./rule.ts";
import type { TypedCheck } from "./rule.ts";

/** What one of the operator's resources holds. */
interface Instance {
  spec?: InstanceSpec;
}

/**
 * What answers outside the cluster says to whom. The push gateway takes what anybody sends, so a load balancer
 * without source ranges lets the whole network write the history of five years, or the whole internet. A
 * Gateway can't name ranges itself, so only internal ones are let through; of Ingresses see ingresses.ts.
 */
export const loadBalancersNameTheirSources: ResourceValidationPolicy = {
  name: "load-balancers-name-their-sources",
  description: "Load balancers let in named ranges of addresses only.",
  validateResource: validate(
    on("kubernetes:core/v1:Service", serviceNamesSources),
    onAny(isGateway, gatewayIsInternal),
  ),
};

function serviceNamesSources({ spec }: Unwrap<ServiceArgs>): string[] {
  if (spec?.type !== "LoadBalancer") return [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length === 0) {
    return ["It lets everybody in: name the ranges that may come in spec.loadBalancerSourceRanges."];
  }
  return ranges
    .map(tooOpen)
    .filter((problem) => problem !== undefined)
    .map((problem) => `${problem}: name narrower ranges in spec.loadBalancerSourceRanges.`);
}

/** In whichever version. */
function isGateway(type: string): boolean {
  return /^kubernetes:gateway\.networking\.k8s\.io\/.+:Gateway$/.test(type);
}

/** The internal classes are those of cloud.google.com/kubernetes-engine/docs/concepts/gateway-api. */
function gatewayIsInternal({ spec }: { spec?: { gatewayClassName?: string } }): string[] {
  if (/-rilb$|-internal-/.test(spec?.gatewayClassName ?? "")) return [];
  return [
    "It is open to the internet: set spec.gatewayClassName to gke-l7-rilb, " +
      "or use a Service of type LoadBalancer with spec.loadBalancerSourceRanges.",
  ];
}

/** A check of pods, and of the operator's resources that say how the pods are that it makes. */
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
 * Every image is one that was tested: by a whole version or a digest. With a tag that moves, a pod that is
 * started anew at night runs what nobody has seen, and yesterday's result can't be compared with today's.
 */
export const imagesAreExact: ResourceValidationPolicy = {
  name: "images-are-exact",
  description: "Images have a whole version or a digest.",
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

/** The operator is told by an argument which image to add to each Prometheus. */
function passedImageIsExact({ name, args = [] }: Container): string[] {
  // By their places: another argument may not be known yet.
  const known = Array.from({ length: args.length }, (_, at) => ifKnown(() => args[at]) ?? "");
  return known.flatMap((argument) => {
    const image = /^--prometheus-config-reloader=(.+)$/.exec(argument)?.[1];
    return image === undefined ? [] : exact(image, `the argument ${argument} of the container "${name}"`);
  });
}

function exact(image: string | undefined, where: string): string[] {
  const problem = inexact(image);
  return problem === undefined ? [] : [`${problem}: set ${where} to one with a tag like v1.2.3 or a digest.`];
}

/**
 * Every container says what it needs and how much memory it may take. Without requests the scheduler puts
 * everything on one node; without a limit one leak takes the neighbours with it. A limit of CPU isn't asked
 * for: it only slows down what could have used an idle core.
 */
export const containersSayWhatTheyNeed: ResourceValidationPolicy = {
  name: "containers-say-what-they-need",
  description: "Containers have requests for CPU and memory, and a limit of memory.",
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
  return [`What it needs is not said: set ${missing.join(", ")} in ${where}.`];
}

/**
 * Every container is shut in, as the "restricted" Pod Security Standard wants it, with a root file system that
 * can't be written besides: what breaks into one finds no root, no tool it could write and no way out.
 */
export const containersAreConfined: ResourceValidationPolicy = {
  name: "containers-are-confined",
  description: "Containers run without root, privileges, or a root file system that can be written.",
  validateResource: validate(
    ...onPods(
      (pod) => [
        ...hostIsApart(pod),
        ...containersOf(pod).flatMap((one) => isConfined(one, pod.securityContext)),
      ],
      // The operator itself takes everything from its own containers that a container can be taken.
      (spec) => [
        ...hostIsApart(spec),
        ...mayDoLess("What the operator makes of it", userIsConfined({}, spec.securityContext)),
        ...addedContainers(spec).flatMap((one) => isConfined(one, spec.securityContext)),
      ],
    ),
  ),
};

function hostIsApart(pod: { hostNetwork?: boolean; hostPID?: boolean; hostIPC?: boolean }): string[] {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((key) => pod[key] === true);
  return shared.map((key) => `Its pods share the node's own namespace: take ${key} away.`);
}

function isConfined(container: Container, pod: PodSpec["securityContext"]): string[] {
  const own = container.securityContext ?? {};
  const cures = [
    ...userIsConfined(own, pod),
    ...(own.readOnlyRootFilesystem === true ? [] : ["set readOnlyRootFilesystem to true"]),
    ...(own.allowPrivilegeEscalation === false ? [] : ["set allowPrivilegeEscalation to false"]),
    ...(own.privileged === true ? ["take privileged away"] : []),
    ...(own.capabilities?.drop?.includes("ALL") === true ? [] : ['set capabilities.drop to ["ALL"]']),
    ...((own.capabilities?.add ?? []).length === 0 ? [] : ["take capabilities.add away"]),
  ];
  return mayDoLess(`The container "${container.name}"`, cures);
}

function mayDoLess(who: string, cures: string[]): string[] {
  if (cures.length === 0) return [];
  return [`${who} may do more than its work: in its securityContext, ${cures.join(", ")}.`];
}

/** What a container's own context or, where that says nothing, its pod's says of its user and system calls. */
function userIsConfined(
  own: NonNullable<Container["securityContext"]>,
  pod: PodSpec["securityContext"],
): string[] {
  const nonRoot = own.runAsNonRoot ?? pod?.runAsNonRoot;
  const user = own.runAsUser ?? pod?.runAsUser;
  const seccomp = own.seccompProfile ?? pod?.seccompProfile;
  return [
    ...(nonRoot === true ? [] : ["set runAsNonRoot to true"]),
    ...(user === 0 ? ["set runAsUser to another user than root"] : []),
    ...(seccomp?.type === "RuntimeDefault" ? [] : ["set seccompProfile.type to RuntimeDefault"]),
  ];
}

/** Kubernetes' side. */
export const kubernetesPolicies = [
  loadBalancersNameTheirSources,
  imagesAreExact,
  containersSayWhatTheyNeed,
  containersAreConfined,
];
