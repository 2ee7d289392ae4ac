import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";

/**
 * Options of a resource that the SDK sends to the engine, including inherited options and dependencies that
 * follow from inputs. Options that are not set and empty ones are absent. Resources are represented by their names.
 */
export interface Options {
  parent?: string;
  provider?: string;
  /** Providers of a component, by package. */
  providers?: Record<string, string>;
  dependsOn?: string[];
  protect?: boolean;
  deletedWith?: string;
  retainOnDelete?: boolean;
  deleteBeforeReplace?: boolean;
  replaceOnChanges?: string[];
  replaceWith?: string[];
  ignoreChanges?: string[];
  aliases?: object[];
  import?: string;
  customTimeouts?: { create?: string; update?: string; delete?: string };
  /** Names of the hooks. */
  hooks?: { beforeCreate?: string[]; beforeUpdate?: string[] };
}

type Request = RegisterResourceRequest.AsObject;

interface Monitor {
  registerResource(request: RegisterResourceRequest, callback: unknown): Promise<void>;
  registerResourceHook(request: unknown, callback: (error: null) => void): void;
}

/** Calls `record` with the options of each resource that the program registers, before the mocks respond. */
export function onRegistration(record: (options: Options) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    record(optionsOf(request.toObject()));
    return register(request, callback);
  };
  // The SDK's mocks lack this function. They never run a hook.
  monitor.registerResourceHook = (_, callback) => {
    callback(null);
  };
}

function optionsOf(request: Request): Options {
  const options: Options = {
    parent: nameOf(request.parent),
    provider: nameOf(request.provider),
    providers: Object.fromEntries(request.providersMap.map(([name, reference]) => [name, nameOf(reference)])),
    dependsOn: request.dependenciesList.map(nameOf).toSorted(),
    protect: request.protect,
    deletedWith: nameOf(request.deletedwith),
    retainOnDelete: request.retainondelete,
    deleteBeforeReplace: request.deletebeforereplacedefined ? request.deletebeforereplace : undefined,
    replaceOnChanges: request.replaceonchangesList,
    replaceWith: request.replaceWithList.map(nameOf),
    ignoreChanges: request.ignorechangesList,
    aliases: request.aliasesList.map((alias) => aliasOf(alias, request.parent)),
    import: request.importid,
    customTimeouts: timeoutsOf(request),
    hooks: given({
      beforeCreate: request.hooks?.beforeCreateList,
      beforeUpdate: request.hooks?.beforeUpdateList,
    }),
  };
  return given(options);
}

/**
 * Returns the fields of an alias that differ from the resource. Omits the alias's parent if it is the resource's own
 * parent, because the SDK sends that by default.
 */
function aliasOf({ urn, spec }: Request["aliasesList"][number], parent: string): object {
  const { parenturn = "", ...others } = spec ?? {};
  return given({
    urn,
    ...others,
    parenturn: parenturn === parent ? "" : parenturn,
    noparent: spec?.noparent === true ? true : undefined,
  });
}

function timeoutsOf({ customtimeouts }: Request): Options["customTimeouts"] {
  // The generated code renames the field, because "delete" is a reserved word.
  const { create, update, pb_delete } = (customtimeouts ?? {}) as Record<string, string | undefined>;
  return given({ create, update, delete: pb_delete });
}

/** Returns the entries whose values are not empty. */
function given<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => !isEmpty(entry))) as T;
}

function isEmpty(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === "";
}

/** Returns "google" for "urn:pulumi:stack::project::pulumi:providers:gcp::google", with or without "::id". */
export function nameOf(reference: string): string {
  return reference.split("::").at(3) ?? "";
}
