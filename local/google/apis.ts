import { number } from "../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { defaultAccount, defaultAccountPath } from "./default-account.ts";
import { numericId } from "./resource-type.ts";
import { defaultNetwork, defaultNetworkPath } from "./resources/default-network.ts";
import type { Data, Resource } from "./store.ts";

/** Token of the resource that says of an API that it is on. */
export const serviceToken = "gcp:projects/service:Service";

/** A Google API, as far as it matters here. */
interface GoogleApi {
  /** As Google calls it in messages. */
  readonly title: string;
  /** Whether it is of those that cost: Google refuses them to a project without a billing account. */
  readonly billed: boolean;
  /** APIs that Google switches on with it, and that it does not work without. */
  readonly needs: readonly string[];
}

const compute = "compute.googleapis.com";
const free = { billed: false, needs: [] };

/** The APIs behind the types served here, by name. */
const googleApis = {
  [compute]: { title: "Compute Engine API", billed: true, needs: [] },
  "container.googleapis.com": { title: "Kubernetes Engine API", billed: true, needs: [compute] },
  "iam.googleapis.com": { title: "Identity and Access Management (IAM) API", ...free },
  "cloudresourcemanager.googleapis.com": { title: "Cloud Resource Manager API", ...free },
  "serviceusage.googleapis.com": { title: "Service Usage API", ...free },
} satisfies Record<string, GoogleApi>;

/** Name of an API behind the types served here. */
export type ApiName = keyof typeof googleApis;

/** All of them. */
export const apiNames = Object.keys(googleApis) as ApiName[];

/** What the emulation knows of the API; of another one it knows nothing, and it has no effect. */
export function findApi(name: string): GoogleApi | undefined {
  return (googleApis as Record<string, GoogleApi>)[name];
}

/** Path of the resource that says of the API that it is on. */
export function apiPath(project: string, name: string): string {
  return `${project}/${name}`;
}

/** Whether the project can use the API. The one that switches the others on is on from the start. */
export function isOn(data: Data, project: string, name: string): boolean {
  if (name === "serviceusage.googleapis.com") return true;
  return [name, ...(findApi(name)?.needs ?? [])].every(
    (one) => data.resources[apiPath(project, one)] !== undefined,
  );
}

/**
 * What is there once the API is on, beside its own resource: the APIs that come with it, and with Compute
 * Engine the project's network `default` and its default service account. APIs that `data` has are on already.
 */
export function comesWith(project: string, name: string, data?: Data): Record<string, Resource> {
  const others = (findApi(name)?.needs ?? [])
    .filter((other) => data?.resources[apiPath(project, other)] === undefined)
    .map((other) => enabled(project, other, Date.now()));
  const own =
    name === compute
      ? {
          [defaultNetworkPath(project)]: defaultNetwork(project, numericId()),
          [defaultAccountPath(project)]: defaultAccount(project),
        }
      : {};
  return Object.assign(own, ...others) as Record<string, Resource>;
}

/**
 * The resources of an API that is on, with all that comes with it.
 *
 * @param enabledAt when it was switched on, in ms since 1970; by default long ago
 */
export function enabled(project: string, name: string, enabledAt = 0): Record<string, Resource> {
  const own: Resource = {
    type: serviceToken,
    inputs: { service: name },
    outputs: { service: name, project },
    status: "ready",
    uses: [],
    inner: { enabledAt },
  };
  return { [apiPath(project, name)]: own, ...comesWith(project, name) };
}

/** Whether the API, or one that it needs, was switched on less than so many ms ago. */
function isStarting(data: Data, project: string, name: string, delayMs: number): boolean {
  return [name, ...(findApi(name)?.needs ?? [])].some((one) => {
    const enabledAt = number(data.resources[apiPath(project, one)]?.inner ?? {}, "enabledAt") ?? 0;
    return Date.now() < enabledAt + delayMs;
  });
}

/**
 * Refuses everything of an API that is not on, or not yet usable.
 *
 * @param delayMs how long an API that was switched on is not usable
 * @throws ApiError in Google's words, which are the same for both
 */
export function refuseUnlessOn(data: Data, project: string, name: ApiName, delayMs: number): void {
  if (isOn(data, project, name) && !isStarting(data, project, name, delayMs)) return;
  const url = `https://console.developers.google.com/apis/api/${name}/overview?project=${project}`;
  const text =
    `${googleApis[name].title} has not been used in project ${project} before or it is disabled. ` +
    `Enable it by visiting ${url} then retry. If you enabled this API recently, wait a few minutes ` +
    `for the action to propagate to our systems and retry.`;
  const info = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    domain: "googleapis.com",
    metadata: { consumer: `projects/${project}`, service: name },
    reason: "SERVICE_DISABLED",
  };
  throw new ApiError(403, text, "accessNotConfigured", [info]);
}

/** What a project without a billing account is told when it asks for an API that costs. */
export function billingMissing(project: string, name: string): ApiError {
  const text =
    `Billing account for project '${project}' is not found. ` +
    `Billing must be enabled for activation of service(s) '${name}' to proceed.`;
  const subject = `?error_code=390001&project=${project}&services=${name}`;
  return new ApiError(400, text, "failedPrecondition", [
    {
      "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
      violations: [{ subject, type: "googleapis.com/billing-enabled" }],
    },
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      domain: "serviceusage.googleapis.com/billing-enabled",
      metadata: { project, services: name },
      reason: "UREQ_PROJECT_BILLING_NOT_FOUND",
    },
  ]);
}

/** Active APIs of the project that do not work without this one. */
export function dependents(data: Data, project: string, name: string): string[] {
  return apiNames.filter(
    (other) => findApi(other)?.needs.includes(name) === true && isOn(data, project, other),
  );
}
