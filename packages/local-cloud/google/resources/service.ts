import { text, type Value } from "../../plugin/values.ts";
import { ApiError } from "../model/api-error.ts";
import { impliedResources, dependents, serviceToken } from "../model/apis.ts";
import type { ResourceType } from "../model/resource-type.ts";
import type { Data, Resource } from "../model/store.ts";

/** An enabled API of the project. Requests to a disabled API fail. */
export const service: ResourceType = {
  token: serviceToken,
  title: "Project Service",
  kind: "service",
  scope: "global",
  api: "serviceusage.googleapis.com",
  checks: { service: checkService },
  path: (inputs, { project }) => `${project}/${text(inputs, "service")}`,
  importsExisting: () => true,
  admit: ({ inputs, place, data, previous }) => ({
    outputs: {},
    inner: previous?.inner ?? { enabledAt: Date.now() },
    beside: previous === undefined ? impliedResources(place.project, text(inputs, "service"), data) : {},
  }),
  // As in the real provider since version 7: deleting the resource keeps the API enabled by default.
  keepsOnDelete: ({ inputs }) => inputs["disableOnDestroy"] !== true,
  validateDeletion,
  errorPrefix: ({ operation, project }, inputs) => {
    const of = `"${text(inputs, "service")}" for project "${project}"`;
    return operation === "delete"
      ? `Error disabling service ${of}`
      : `Request \`Enable Project Service ${of}\` returned error: failed to enable services: failed on request preconditions`;
  },
};

/**
 * Checks Google's rule: an API that other enabled APIs depend on can only be disabled if `disableDependentServices` is
 * set.
 */
function validateDeletion({ inputs, outputs }: Resource, data: Data): void {
  if (inputs["disableDependentServices"] === true) return;
  const name = text(inputs, "service");
  const others = dependents(data, text(outputs, "project"), name);
  if (others.length === 0) return;
  throw new ApiError(
    400,
    `The service ${name} is depended on by the following active service(s): ${others.join(",")}; ` +
      `Please specify disable_dependent_services=true if you want to proceed with disabling all services.`,
    "failedPrecondition",
  );
}

function checkService(value: Value): string | undefined {
  if (typeof value === "string" && value.includes(".")) return undefined;
  return `expected ${JSON.stringify(value)} to be a domain like serviceusage.googleapis.com`;
}
