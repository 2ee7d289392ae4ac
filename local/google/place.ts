import { isKnown, optionalText, UNKNOWN, type Value, type Values } from "../plugin/values.ts";

/** Where a resource is. Empty texts where its type has no such thing. */
export interface Place {
  readonly project: string;
  readonly region: string;
  readonly zone: string;
}

/** The settings of the provider that resources fall back on. */
export interface Defaults {
  readonly project?: string;
  readonly region?: string;
  readonly zone?: string;
}

/** Of what a type's resources are a part. A `location` is a zone or a region, in the argument `location`. */
export type Scope = "global" | "region" | "zone" | "location";

const compute = "https://www.googleapis.com/compute/v1/";

/** The region of a zone like `us-central1-f`. */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, "");
}

/** Last part of a reference: `us-central1` of `https://…/regions/us-central1`. */
export function lastPart(reference: string): string {
  return reference.split("/").at(-1) ?? reference;
}

/**
 * Where the resource goes.
 *
 * @throws Error in the real provider's words when neither the resource nor the provider says it
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

/** The outputs that say where a resource is, as far as they are known. */
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

/** The self link of a compute resource. */
export function selfLink(path: string): string {
  return `${compute}${path}`;
}

/**
 * The path of a compute resource that another refers to: by self link, by path, or by its name alone.
 *
 * @param collection of its type, e.g. `subnetworks`
 * @param scope of its type
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
