import { createHash, randomBytes } from "node:crypto";
import type {
  CheckRequest,
  CheckedInputs,
  CreateRequest,
  DeleteRequest,
  Difference,
  DiffRequest,
  Failure,
  Made,
  Plugin,
  ReadRequest,
  ReadResult,
  UpdateRequest,
} from "../plugin/plugin.ts";
import {
  equal,
  isKnown,
  isValues,
  optionalText,
  text,
  texts,
  type Value,
  type Values,
} from "../plugin/values.ts";
import { notFound } from "./model/api-error.ts";
import type { Api } from "./api.ts";
import { place, placeOutputs, selfLink, type Defaults } from "./model/place.ts";
import type { ResourceType } from "./model/resource-type.ts";
import { version } from "./resources/cluster.ts";
import { differences } from "../plugin/schema/differences.ts";
import { validate } from "../plugin/schema/validate.ts";
import { isInput } from "../plugin/schema/argument.ts";
import { schemaOf } from "./schema/table.ts";
import { complete, predict } from "../plugin/schema/values.ts";
import { findType } from "./resources/index.ts";
import { subnetworkToken } from "./resources/subnetwork-ranges.ts";

/** Number of hexadecimal digits in an auto-generated name, as in the real provider. */
const nameDigits = 7;

/** The emulated provider `gcp`: everything that does not depend on the resource type. */
export class GoogleProvider implements Plugin {
  private defaults: Defaults = {};

  constructor(
    readonly version: string,
    private readonly api: Api,
  ) {}

  configure(settings: Values): void {
    this.defaults = {
      project: optionalText(settings, "project"),
      region: optionalText(settings, "region"),
      zone: optionalText(settings, "zone"),
    };
  }

  check(request: CheckRequest): CheckedInputs {
    const type = findType(request.type);
    const schema = schemaOf(type.token);
    const withName = this.withName(type, request);
    const inputs = complete(schema, withName);
    const failures = [...validate(schema, type.checks ?? {}, withName), ...(type.validate?.(inputs) ?? [])];
    return { inputs, failures: failures.length > 0 ? failures : this.locationFailures(type, inputs) };
  }

  /**
   * Returns the inputs with a name. If the program sets none, this is the name that was generated before, or the
   * resource's name in the program with random hexadecimal digits.
   */
  private withName(type: ResourceType, { before, name, seed, inputs }: CheckRequest): Values {
    if (!isAutoNamed(type) || inputs["name"] !== undefined) return inputs;
    const kept =
      before !== undefined && texts(before, "__defaults").includes("name") ? before["name"] : undefined;
    const random = seed.length > 0 ? seed : randomBytes(16);
    const digits = createHash("sha256").update(random).update(name).digest("hex").slice(0, nameDigits);
    return { ...inputs, name: kept ?? `${name}-${digits}`, __defaults: ["name"] };
  }

  private locationFailures(type: ResourceType, inputs: Values): Failure[] {
    try {
      placeOutputs(type.scope, inputs, this.defaults);
      return [];
    } catch (error) {
      return [{ property: "", reason: (error as Error).message }];
    }
  }

  diff({ type: token, state, before, inputs }: DiffRequest): Difference {
    const type = findType(token);
    const actual = merge(before, type.forced?.(before) ?? {}) as Values;
    const changes = differences(schemaOf(token), type.effects ?? {}, {
      before: actual,
      after: inputs,
      state,
    });
    const at = placeOutputs(type.scope, inputs, this.defaults);
    for (const [path, value] of Object.entries(at)) {
      // True if the resource doesn't set its project, region or zone, and the provider's default has changed.
      const moved = inputs[path] === undefined && state[path] !== undefined && state[path] !== value;
      if (moved) changes.push({ path, kind: "update", replace: true });
    }
    const replace = changes.some((change) => change.replace);
    const sameName = isAutoNamed(type) && isGiven(inputs) && before["name"] === inputs["name"];
    return { changes, deleteBeforeReplace: replace && sameName };
  }

  async create({ type: token, name, inputs, preview }: CreateRequest): Promise<Made> {
    const type = findType(token);
    if (preview) return { id: "", state: this.previewState(type, inputs) };
    const at = place(type.scope, inputs, this.defaults);
    const path = type.path(inputs, at);
    return {
      id: path,
      state: { ...inputs, ...(await this.api.create(type, { path, name, inputs, place: at })) },
    };
  }

  /** Returns the state for the preview of a creation, in which computed outputs are unknown. */
  private previewState(type: ResourceType, inputs: Values): Values {
    const at = placeOutputs(type.scope, inputs, this.defaults);
    return predict(schemaOf(type.token), { ...at, ...inputs });
  }

  async read({ type: token, name, id, inputs }: ReadRequest): Promise<ReadResult | undefined> {
    const type = findType(token);
    const imported = Object.keys(inputs).length === 0;
    const path = imported ? (type.importPath?.(id) ?? id) : id;
    const found = await this.api.read(type, { path, name, project: this.defaults.project });
    if (found === undefined) return undefined;
    return { id: path, inputs: imported ? found.inputs : inputs, state: found.outputs };
  }

  async update(request: UpdateRequest): Promise<Values> {
    const { type: token, id, name, state, before, inputs, preview } = request;
    const type = findType(token);
    if (preview) {
      const changed = Object.entries(inputs).filter(([key, value]) => !equal(before[key], value));
      return merge(state, Object.fromEntries(changed)) as Values;
    }
    const at = place(type.scope, inputs, this.defaults);
    return { ...inputs, ...(await this.api.update(type, { path: id, name, inputs, place: at })) };
  }

  async delete({ type: token, id, name }: DeleteRequest): Promise<void> {
    await this.api.delete(findType(token), { path: id, name, project: this.defaults.project });
  }

  invoke(token: string, args: Values): Promise<Values> {
    if (token === "gcp:organizations/getClientConfig:getClientConfig") {
      return Promise.resolve({ id: "local", accessToken: "", defaultLabels: {}, ...this.defaults, ...args });
    }
    if (token === "gcp:compute/getNetwork:getNetwork") return this.network(args);
    if (token === "gcp:container/getEngineVersions:getEngineVersions") return this.versions(args);
    if (token === "gcp:serviceaccount/getAccount:getAccount") return this.account(args);
    return Promise.reject(
      new Error(
        `The local cloud does not emulate the function ${token}; see packages/local-cloud/google/README.md`,
      ),
    );
  }

  /** Implements `getNetwork`: returns a network by name. */
  private async network(args: Values): Promise<Values> {
    const type = findType("gcp:compute/network:Network");
    const at = place("global", args, this.defaults);
    const path = type.path(args, at);
    const name = text(args, "name");
    const found = await this.api.read(type, { path, name, project: at.project });
    if (found === undefined) throw new Error(`Network Not Found : ${name}: ${notFound(path).message}`);
    const subnetworksSelfLinks = this.api.usersOf(path, subnetworkToken).map(selfLink);
    const description = found.outputs["description"] ?? "";
    return { ...found.outputs, id: path, description, internalIpv6Range: "", subnetworksSelfLinks };
  }

  /** Implements `getEngineVersions`: returns the only cluster version. */
  private async versions(args: Values): Promise<Values> {
    const at = place("location", args, this.defaults);
    // This read checks that the API is enabled and injects faults. It finds no cluster, because no cluster has an empty
    // path.
    await this.api.read(findType("gcp:container/cluster:Cluster"), {
      path: "",
      name: "",
      project: at.project,
    });
    const versions = {
      latestMasterVersion: version,
      latestNodeVersion: version,
      validMasterVersions: [version],
    };
    return { id: at.zone, location: at.zone, project: at.project, ...versions };
  }

  /** Implements `getAccount`: returns a service account by ID. */
  private async account(args: Values): Promise<Values> {
    const type = findType("gcp:serviceaccount/account:Account");
    const at = place("global", args, this.defaults);
    const path = type.path(args, at);
    const found = await this.api.read(type, { path, name: text(args, "accountId"), project: at.project });
    if (found === undefined)
      throw new Error(`Error reading Service Account "${path}": ${notFound(path).message}`);
    return { ...found.outputs, id: path };
  }
}

/** Reports whether the Pulumi program, and not auto-naming, sets the resource's `name`. */
function isGiven(inputs: Values): boolean {
  return !texts(inputs, "__defaults").includes("name") && isKnown(inputs["name"]);
}

/** Reports whether Pulumi generates a name if the program sets none. It does so for every type with an input `name`. */
function isAutoNamed({ token }: ResourceType): boolean {
  const { name } = schemaOf(token);
  return name !== undefined && isInput(name);
}

/**
 * Returns `second`, merged recursively into `first` if both are objects. Thus an object keeps its computed properties
 * when inputs in it change.
 */
function merge(first: Value | undefined, second: Value): Value {
  if (!isValues(first) || !isValues(second)) return second;
  const merged = { ...first };
  for (const [key, value] of Object.entries(second)) {
    if (value !== undefined) merged[key] = merge(first[key], value);
  }
  return merged;
}
