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
import { notFound } from "./api-error.ts";
import type { Api } from "./api.ts";
import { place, placeOutputs, selfLink, type Defaults } from "./place.ts";
import type { ResourceType } from "./resource-type.ts";
import { version } from "./resources/cluster.ts";
import { differences } from "../plugin/schema/differences.ts";
import { refuse } from "../plugin/schema/refuse.ts";
import { isInput } from "../plugin/schema/argument.ts";
import { schemaOf } from "./schema/table.ts";
import { complete, predict } from "../plugin/schema/values.ts";
import { findType } from "./resources/index.ts";
import { subnetworkToken } from "./resources/subnetwork-ranges.ts";

/** Hex digits behind a name that is made up, as in the real provider. */
const nameDigits = 7;

/** The provider `gcp` of a local cloud: what of a provider is not particular to a type. */
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
    const named = this.named(type, request);
    const inputs = complete(schema, named);
    const failures = [...refuse(schema, type.checks ?? {}, named), ...(type.refuse?.(inputs) ?? [])];
    return { inputs, failures: failures.length > 0 ? failures : this.misplaced(type, inputs) };
  }

  /** Keeps a made-up name, or makes one up: the name in the program and a few hex digits. */
  private named(type: ResourceType, { before, name, seed, inputs }: CheckRequest): Values {
    if (!isAutoNamed(type) || inputs["name"] !== undefined) return inputs;
    const kept =
      before !== undefined && texts(before, "__defaults").includes("name") ? before["name"] : undefined;
    const random = seed.length > 0 ? seed : randomBytes(16);
    const digits = createHash("sha256").update(random).update(name).digest("hex").slice(0, nameDigits);
    return { ...inputs, name: kept ?? `${name}-${digits}`, __defaults: ["name"] };
  }

  private misplaced(type: ResourceType, inputs: Values): Failure[] {
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
      // The provider's own project, region or zone changed under a resource that gives none.
      const moved = inputs[path] === undefined && state[path] !== undefined && state[path] !== value;
      if (moved) changes.push({ path, kind: "update", replace: true });
    }
    const replace = changes.some((change) => change.replace);
    const sameName = isAutoNamed(type) && isGiven(inputs) && before["name"] === inputs["name"];
    return { changes, deleteBeforeReplace: replace && sameName };
  }

  async create({ type: token, name, inputs, preview }: CreateRequest): Promise<Made> {
    const type = findType(token);
    if (preview) return { id: "", state: this.planned(type, inputs) };
    const at = place(type.scope, inputs, this.defaults);
    const path = type.path(inputs, at);
    return {
      id: path,
      state: { ...inputs, ...(await this.api.create(type, { path, name, inputs, place: at })) },
    };
  }

  /** The state that a preview can tell: what is computed is not known. */
  private planned(type: ResourceType, inputs: Values): Values {
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
      new Error(`The local cloud serves no function ${token}; see local/google/README.md`),
    );
  }

  /** The function `getNetwork`: a network that is there, by its name. */
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

  /** The function `getEngineVersions`: the versions of clusters in a location. There is one. */
  private async versions(args: Values): Promise<Values> {
    const at = place("location", args, this.defaults);
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

  /** The function `getAccount`: a service account that is there, by its id. */
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

/** Whether the program gave the name itself. */
function isGiven(inputs: Values): boolean {
  return !texts(inputs, "__defaults").includes("name") && isKnown(inputs["name"]);
}

/** Whether Pulumi makes up a name when the program gives none: for every type with an argument `name`. */
function isAutoNamed({ token }: ResourceType): boolean {
  const { name } = schemaOf(token);
  return name !== undefined && isInput(name);
}

/** Maps put together key by key; of anything else the second. Arguments inside computed maps need this. */
function merge(first: Value | undefined, second: Value): Value {
  if (!isValues(first) || !isValues(second)) return second;
  const merged = { ...first };
  for (const [key, value] of Object.entries(second)) {
    if (value !== undefined) merged[key] = merge(first[key], value);
  }
  return merged;
}
