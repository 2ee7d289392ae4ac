import { text, type Value } from "../../plugin/values.ts";
import { ApiError } from "../api-error.ts";
import { comesWith, dependents, serviceToken } from "../apis.ts";
import type { ResourceType } from "../resource-type.ts";
import type { Data, Resource } from "../store.ts";

/** An API that is switched on for the project. Without it everything of that API is refused. */
export const service: ResourceType = {
  token: serviceToken,
  title: "Project Service",
  kind: "service",
  scope: "global",
  api: "serviceusage.googleapis.com",
  checks: { service: checkService },
  path: (inputs, { project }) => `${project}/${text(inputs, "service")}`,
  adopts: () => true,
  admit: ({ inputs, place, data, previous }) => ({
    outputs: {},
    inner: previous?.inner ?? { enabledAt: Date.now() },
    beside: previous === undefined ? comesWith(place.project, text(inputs, "service"), data) : {},
  }),
  // As the real provider since its version 7: letting go of an API leaves it on, unless told otherwise.
  stays: ({ inputs }) => inputs["disableOnDestroy"] !== true,
  refuseRemoval,
  telling: ({ operation, project }, inputs) => {
    const of = `"${text(inputs, "service")}" for project "${project}"`;
    return operation === "delete"
      ? `Error disabling service ${of}`
      : `Request \`Enable Project Service ${of}\` returned error: failed to enable services: failed on request preconditions`;
  },
};

/** Google's rule: what other active APIs need stays on, unless they may go too. */
function refuseRemoval({ inputs, outputs }: Resource, data: Data): void {
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
