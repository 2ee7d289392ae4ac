import { number } from "../../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { defaultAccount, defaultAccountPath } from "./default-account.ts";
import { numericId } from "./ids.ts";
import { defaultNetwork, defaultNetworkPath } from "./default-network.ts";
import type { Data, Resource } from "./store.ts";

/** Pulumi token of the resource that enables an API. */
export const serviceToken = "gcp:projects/service:Service";

/** Properties of a Google API. */
interface GoogleApi {
  /** Google's name of the API in messages. */
  readonly title: string;
  /** Whether the API needs a billing account. */
  readonly billed: boolean;
  /** APIs that this API depends on, and that Google enables together with it. */
  readonly needs: readonly string[];
}

const compute = "compute.googleapis.com";
const free = { billed: false, needs: [] };

/** APIs of the emulated resource types, by name. */
const googleApis = {
  [compute]: { title: "Compute Engine API", billed: true, needs: [] },
  "container.googleapis.com": { title: "Kubernetes Engine API", billed: true, needs: [compute] },
  "iam.googleapis.com": { title: "Identity and Access Management (IAM) API", ...free },
  "cloudresourcemanager.googleapis.com": { title: "Cloud Resource Manager API", ...free },
  "serviceusage.googleapis.com": { title: "Service Usage API", ...free },
} satisfies Record<string, GoogleApi>;

/** Name of an API of the emulated resource types. */
export type ApiName = keyof typeof googleApis;

/** Names of all APIs of the emulated resource types. */
export const apiNames = Object.keys(googleApis) as ApiName[];

/** Returns an API's properties, or undefined for an API without emulated resource types. */
export function findApi(name: string): GoogleApi | undefined {
  return (googleApis as Record<string, GoogleApi>)[name];
}

/** Returns the path of the resource that enables the API. */
export function apiPath(project: string, name: string): string {
  return `${project}/${name}`;
}

/** Reports whether the API is enabled in the project. Service Usage is always enabled. */
export function isEnabled(data: Data, project: string, name: string): boolean {
  if (name === "serviceusage.googleapis.com") return true;
  return [name, ...(findApi(name)?.needs ?? [])].every(
    (one) => data.resources[apiPath(project, one)] !== undefined,
  );
}

/**
 * Returns the resources that Google creates in addition when the API `name` is enabled. These are the APIs that `name`
 * depends on, which Google enables too, and for Compute Engine the network `default` and the default service account.
 *
 * @param data existing resources; APIs that are enabled there are omitted
 */
export function impliedResources(project: string, name: string, data?: Data): Record<string, Resource> {
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
 * Returns the resource of an enabled API, and the resources that Google creates with it.
 *
 * @param enabledAt Unix time in milliseconds at which the API was enabled. @default 0
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
  return { [apiPath(project, name)]: own, ...impliedResources(project, name) };
}

/** Reports whether the API, or an API that it depends on, was enabled less than `delayMs` milliseconds ago. */
function isPropagating(data: Data, project: string, name: string, delayMs: number): boolean {
  return [name, ...(findApi(name)?.needs ?? [])].some((one) => {
    const enabledAt = number(data.resources[apiPath(project, one)]?.inner ?? {}, "enabledAt") ?? 0;
    return Date.now() < enabledAt + delayMs;
  });
}

/**
 * Checks that an API is enabled and accepts requests.
 *
 * @param delayMs time in milliseconds for which a newly enabled API rejects requests
 * @throws ApiError with Google's message, which is the same for a disabled API and a newly enabled one
 */
export function requireEnabled(data: Data, project: string, name: ApiName, delayMs: number): void {
  if (isEnabled(data, project, name) && !isPropagating(data, project, name, delayMs)) return;
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

/** Error for enabling a billed API in a project without a billing account. */
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

/** Returns the names of the project's enabled APIs that depend on the API `name`. */
export function dependents(data: Data, project: string, name: string): string[] {
  return apiNames.filter(
    (other) => findApi(other)?.needs.includes(name) === true && isEnabled(data, project, other),
  );
}
