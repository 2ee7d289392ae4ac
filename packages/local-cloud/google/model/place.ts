import { isKnown, optionalText, UNKNOWN, type Value, type Values } from "../../plugin/values.ts";

/** Location of a resource. Region and zone are empty if neither the resource nor the provider sets them. */
export interface Place {
  readonly project: string;
  readonly region: string;
  readonly zone: string;
}

/** Default project and location in the provider's configuration. */
export interface Defaults {
  readonly project?: string;
  readonly region?: string;
  readonly zone?: string;
}

/** Scope of a type's resources. `location` means that the argument `location` names a zone or a region. */
export type Scope = "global" | "region" | "zone" | "location";

const compute = "https://www.googleapis.com/compute/v1/";

/** Returns the region of a zone, e.g. of `us-central1-f`. */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, "");
}

/** Returns the last part of a reference: `us-central1` of `https://…/regions/us-central1`. */
export function lastPart(reference: string): string {
  return reference.split("/").at(-1) ?? reference;
}

/**
 * Returns the location of a resource.
 *
 * @throws Error with the real provider's message when neither the resource nor the provider sets it
 */
export function place(scope: Scope, inputs: Values, defaults: Defaults): Place {
  const project = optionalText(inputs, "project") ?? defaults.project;
  if (project === undefined) throw new Error("project: required field is not set");
  const argument = scope === "location" ? optionalText(inputs, "location") : optionalText(inputs, "zone");
  const zone = lastPart(argument ?? defaults.zone ?? "");
  const given = optionalText(inputs, "region") ?? defaults.region;
  const region = given === undefined ? regionOf(zone) : lastPart(given);
  if ((scope === "zone" || scope === "location") && zone === "") {
    throw new Error(`Cannot determine ${scope}: set in this resource, or set provider-level zone.`);
  }
  if (scope === "region" && region === "") {
    throw new Error(
      "Cannot determine region: set in this resource, or set provider-level 'region' or 'zone'.",
    );
  }
  return { project, region: scope === "zone" || scope === "location" ? regionOf(zone) : region, zone };
}

/** Returns the outputs for a resource's location. All are unknown if an argument for the location is unknown. */
export function placeOutputs(scope: Scope, inputs: Values, defaults: Defaults): Values {
  if (!isKnown(placeArguments(inputs))) {
    return { project: UNKNOWN, ...(scope === "global" ? {} : { [scope]: UNKNOWN }) };
  }
  const { project, region, zone } = place(scope, inputs, defaults);
  if (scope === "global") return { project };
  return { project, [scope]: scope === "region" ? region : zone };
}

function placeArguments(inputs: Values): Value {
  return [inputs["project"] ?? "", inputs["region"] ?? "", inputs["zone"] ?? "", inputs["location"] ?? ""];
}

/** Returns the self link of a compute resource. */
export function selfLink(path: string): string {
  return `${compute}${path}`;
}

/**
 * Returns the path of a referenced compute resource.
 *
 * @param reference self link, path or name
 * @param collection collection of its type, e.g. `subnetworks`
 * @param scope scope of its type
 * @param at location of the resource that contains the reference, for references without a location
 */
export function pathOf(
  reference: string,
  collection: string,
  scope: "global" | "region" | "zone",
  at: Place,
): string {
  const start = reference.indexOf("projects/");
  if (start >= 0) return reference.slice(start);
  const name = lastPart(reference);
  const where = { global: "global", region: `regions/${at.region}`, zone: `zones/${at.zone}` }[scope];
  return `projects/${at.project}/${where}/${collection}/${name}`;
}
