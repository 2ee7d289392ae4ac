import { optionalText, type Values } from "../plugin/values.ts";
import { PartialCreateError } from "../plugin/plugin.ts";
import { alreadyExists, ApiError, inUse, notFound } from "./model/api-error.ts";
import { requireEnabled } from "./model/apis.ts";
import { OperationTimeoutError, type FaultInjector } from "./faults.ts";
import { type OperationContext, type Operation } from "./model/operation.ts";
import { selfLink, type Place } from "./model/place.ts";
import type { Admitted, Backend, ResourceType } from "./model/resource-type.ts";
import { findType } from "./resources/index.ts";
import type { Data, Resource, Store } from "./model/store.ts";

/** Path and name of the resource that an operation is about. */
interface ResourceName {
  readonly path: string;
  /** The resource's name in the Pulumi program. */
  readonly name: string;
}

/** A resource to read or delete, which is in Pulumi's state but may no longer exist. */
interface ExistingResource extends ResourceName {
  /** The provider's default project. It is used if the resource's path contains no project. */
  readonly project: string | undefined;
}

/** A resource with its desired arguments. */
interface DesiredResource extends ResourceName {
  readonly inputs: Values;
  readonly place: Place;
}

/** The emulated API. It manages resources and the infrastructure behind them. */
export class Api {
  constructor(
    private readonly store: Store,
    private readonly faults: FaultInjector,
    private readonly backend: Backend,
  ) {}

  /**
   * Creates the resource.
   *
   * @returns the resource's outputs
   * @throws Error with Google's message. After an injected timeout the resource exists; other errors create nothing.
   */
  async create(type: ResourceType, desired: DesiredResource): Promise<Values> {
    const { path, inputs } = desired;
    const context = contextOf(type, "create", desired, desired.place.project);
    return this.withErrorPrefix(errorPrefix(type, context, inputs), async () => {
      await this.before(type, context);
      const resource = await this.store.change((data) => {
        const there = data.resources[path];
        if (there !== undefined && type.importsExisting?.(inputs) !== true) throw alreadyExists(path);
        if (there === undefined) checkLimit(data, type, this.backend.limits);
        return insert(data, type, desired, inputs, there);
      });
      const outputs = await this.finish(type, path, resource).catch(async (error: unknown) => {
        await this.rollBack(type, path, resource);
        throw error;
      });
      await this.faults.after(context).catch((error: unknown) => {
        if (!(error instanceof OperationTimeoutError) || type.afterTimeout === undefined) throw error;
        if (type.afterTimeout === "found") return;
        throw new PartialCreateError(error.message, { id: path, state: { ...inputs, ...outputs } });
      });
      return outputs;
    });
  }

  /** Returns the resource, or undefined if it does not exist. Completes an interrupted creation first. */
  async read(type: ResourceType, existing: ExistingResource): Promise<Resource | undefined> {
    const { path } = existing;
    const found = this.store.read().resources[path];
    // `before` fails if the API is disabled. It runs before the check for a missing resource, because a disabled API
    // responds with its own error even if the resource doesn't exist.
    await this.before(type, contextOf(type, "read", existing, projectOf(existing, found)));
    if (found === undefined || found.type !== type.token) return undefined;
    // Google completes operations after a client's crash; the emulation does so on the next read.
    if (found.status === "making") await this.finish(type, path, found);
    const data = this.store.read();
    const resource = data.resources[path];
    return resource && { ...resource, outputs: await this.observed(type, path, resource, data) };
  }

  /** Returns the paths of the resources that use the resource at `path` and have the Pulumi type token `type`. */
  usersOf(path: string, type: string): string[] {
    return Object.entries(this.store.read().resources)
      .filter(([, other]) => other.type === type && other.uses.includes(path))
      .map(([user]) => user);
  }

  /** Updates the resource to the arguments. @returns its outputs @throws Error with Google's message */
  async update(type: ResourceType, desired: DesiredResource): Promise<Values> {
    const { path, inputs, place } = desired;
    const context = contextOf(type, "update", desired, place.project);
    return this.withErrorPrefix(errorPrefix(type, context, inputs), async () => {
      await this.before(type, context);
      const resource = await this.store.change((data) => {
        const previous = data.resources[path];
        if (previous === undefined) throw notFound(path);
        return insert(data, type, desired, inputs, previous);
      });
      const outputs = await this.finish(type, path, resource);
      await this.faults.after(context);
      return outputs;
    });
  }

  /** Deletes the resource and its children, if it exists. @throws Error while it is in use */
  async delete(type: ResourceType, existing: ExistingResource): Promise<void> {
    const { path } = existing;
    const there = this.store.read().resources[path];
    const context = contextOf(type, "delete", existing, projectOf(existing, there));
    await this.withErrorPrefix(errorPrefix(type, context, there?.inputs ?? {}), async () => {
      await this.before(type, context);
      if (there !== undefined) {
        const [user] = (await type.deletionBlockers?.(this.backend, path, there)) ?? [];
        if (user !== undefined) throw inUse(type.kind, path, user);
      }
      const resource = await this.store.change((data) => {
        const found = data.resources[path];
        if (found === undefined || type.keepsOnDelete?.(found) === true) return undefined;
        type.validateDeletion?.(found, data);
        const user = userOf(path, data);
        if (user !== undefined) throw inUse(type.kind, path, user);
        return (data.resources[path] = { ...found, status: "removing" as const });
      });
      if (resource !== undefined) await this.removeWithParts(type, path, resource);
      await this.faults.after(context);
    });
  }

  /** Runs before each operation: checks that the API is enabled and injects faults. */
  private async before(type: ResourceType, context: OperationContext): Promise<void> {
    requireEnabled(this.store.read(), context.project, type.api, this.faults.apiDelayMs());
    await this.faults.before(context);
  }

  private async removeWithParts(type: ResourceType, path: string, resource: Resource): Promise<void> {
    const { resources } = this.store.read();
    for (const [part, other] of Object.entries(resources)) {
      if (other.parent === path) await this.removeWithParts(findType(other.type), part, other);
    }
    const left = (await type.createsOnDelete?.(this.backend, resource)) ?? {};
    await type.remove?.(this.backend, resource, this.store.read());
    await this.store.remove(path);
    if (Object.keys(left).length === 0) return;
    await this.store.change((data) => {
      data.resources = { ...data.resources, ...left };
    });
  }

  /** Applies the resource to the infrastructure and sets its status to ready. */
  private async finish(type: ResourceType, path: string, resource: Resource): Promise<Values> {
    const found = (await type.work?.(this.backend, resource)) ?? {};
    const outputs = { ...resource.outputs, ...found };
    const done: Resource = { ...resource, outputs, status: "ready" };
    await this.store.change((data) => {
      data.resources[path] = done;
    });
    return this.observed(type, path, done, this.store.read());
  }

  /** Returns the resource's outputs, including those that depend on other resources. */
  private async observed(type: ResourceType, path: string, resource: Resource, data: Data): Promise<Values> {
    const users = (await type.users?.(this.backend, path, resource))?.map(selfLink);
    const outputs = { ...resource.outputs, ...type.observe?.(path, resource, data) };
    return users === undefined ? outputs : { ...outputs, users };
  }

  /** Removes a resource whose creation failed, so that it can be created again. */
  private async rollBack(type: ResourceType, path: string, resource: Resource): Promise<void> {
    await type.remove?.(this.backend, resource, this.store.read()).catch(() => undefined);
    await this.store.remove(path);
  }

  private async withErrorPrefix<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = `${what}: ${(error as Error).message}`;
      if (error instanceof PartialCreateError) throw new PartialCreateError(message, error.made);
      throw new Error(message, { cause: error });
    }
  }
}

/** Checks the local cloud's limit of resources of a type. @throws ApiError */
function checkLimit(data: Data, { token, title }: ResourceType, limits: Backend["limits"]): void {
  const there = Object.entries(data.resources).filter(([, { type }]) => type === token);
  if (there.length < (limits[token] ?? Infinity)) return;
  const text = `The local cloud supports ${limits[token]} ${title}, and '${there[0]?.[0]}' exists already`;
  throw new ApiError(400, text, "localLimit");
}

/** Inserts or updates the resource, and inserts the resources that Google creates with it. @throws ApiError */
function insert(
  data: Data,
  type: ResourceType,
  desired: DesiredResource,
  inputs: Values,
  previous?: Resource,
): Resource {
  const { path, place } = desired;
  const uses = type.uses?.(inputs, place) ?? [];
  const parent = type.parent?.(inputs, place);
  const made = previous === undefined ? (type.needs?.(inputs, place) ?? []) : [];
  for (const needed of [...uses, ...made, ...(parent === undefined ? [] : [parent])]) {
    if (data.resources[needed] === undefined) throw notFound(needed);
  }
  const { outputs, inner, beside }: Admitted = type.admit({ path, inputs, place, data, previous });
  const where =
    type.scope === "global" ? {} : { [type.scope]: type.scope === "region" ? place.region : place.zone };
  // Keeps outputs that earlier operations or Google's defaults set. Omits the previous inputs, so that an argument that
  // the program no longer sets disappears.
  const kept = Object.entries(previous?.outputs ?? {}).filter(([key]) => previous?.inputs[key] === undefined);
  const resource: Resource = {
    type: type.token,
    inputs,
    outputs: { ...Object.fromEntries(kept), ...inputs, project: place.project, ...where, ...outputs },
    status: "making",
    uses,
    parent,
    inner: inner ?? {},
  };
  data.resources = { ...beside, ...data.resources, [path]: resource };
  return resource;
}

/**
 * Returns the path of a user, i.e. of a resource that uses the resource at `path`. If the user is a child of another
 * resource, returns the parent's path.
 */
function userOf(path: string, data: Data): string | undefined {
  const user = Object.entries(data.resources).find(([, { uses }]) => uses.includes(path));
  return user?.[1].parent ?? user?.[0];
}

function contextOf(
  type: ResourceType,
  operation: Operation,
  { path, name }: ResourceName,
  project: string,
): OperationContext {
  const [, module = "", title = ""] = type.token.split(":");
  return { type: `${module.split("/")[0] ?? ""}.${title}`, operation, name, path, project };
}

/** Returns the real provider's prefix of an error message. */
function errorPrefix(type: ResourceType, context: OperationContext, inputs: Values): string {
  const { operation, path } = context;
  const of = operation === "update" ? ` "${path}"` : "";
  return type.errorPrefix?.(context, inputs) ?? `Error ${verbs[operation]} ${type.title}${of}`;
}

const verbs = { create: "creating", read: "reading", update: "updating", delete: "deleting" };

/** Returns the project of a resource: from its outputs, else from its path, else the provider's. */
function projectOf({ path, project }: ExistingResource, resource?: Resource): string {
  const said = optionalText(resource?.outputs ?? {}, "project");
  return said ?? /^projects\/([^/]+)/.exec(path)?.[1] ?? project ?? "";
}
