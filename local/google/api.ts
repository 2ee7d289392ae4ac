import { optionalText, type Values } from "../plugin/values.ts";
import { HalfMade } from "../plugin/plugin.ts";
import { alreadyExists, ApiError, inUse, notFound } from "./api-error.ts";
import { refuseUnlessOn } from "./apis.ts";
import { TimedOut, type FaultInjector, type Occasion, type Operation } from "./faults.ts";
import { selfLink, type Place } from "./place.ts";
import type { Admitted, Behind, ResourceType } from "./resource-type.ts";
import { findType } from "./resources/index.ts";
import type { Data, Resource, Store } from "./store.ts";

/** A resource that an operation is about. */
interface Named {
  readonly path: string;
  /** Its name in the program. */
  readonly name: string;
}

/** A resource that may be gone. */
interface Sought extends Named {
  /** The provider's project, for paths that don't tell theirs. */
  readonly project: string | undefined;
}

/** A resource that is to be as its arguments say. */
interface Wanted extends Named {
  readonly inputs: Values;
  readonly place: Place;
}

/** The emulated API: resources come, change and go, with the machines behind them. */
export class Api {
  constructor(
    private readonly store: Store,
    private readonly faults: FaultInjector,
    private readonly behind: Behind,
  ) {}

  /** Makes the resource. @returns its outputs @throws Error as Google refuses it, with nothing made */
  async create(type: ResourceType, wanted: Wanted): Promise<Values> {
    const { path, inputs } = wanted;
    const occasion = occasionOf(type, "create", wanted, wanted.place.project);
    return this.telling(telling(type, occasion, inputs), async () => {
      await this.before(type, occasion);
      const resource = await this.store.change((data) => {
        const there = data.resources[path];
        if (there !== undefined && type.adopts?.(inputs) !== true) throw alreadyExists(path);
        if (there === undefined) refuseWithoutRoom(data, type, this.behind.room);
        return put(data, type, wanted, inputs, there);
      });
      const outputs = await this.finish(type, path, resource).catch(async (error: unknown) => {
        await this.giveUp(type, path, resource);
        throw error;
      });
      await this.faults.after(occasion).catch((error: unknown) => {
        if (!(error instanceof TimedOut) || type.afterTimeout === undefined) throw error;
        if (type.afterTimeout === "found") return;
        throw new HalfMade(error.message, { id: path, state: { ...inputs, ...outputs } });
      });
      return outputs;
    });
  }

  /** The resource as it is, undefined when it is gone. What a crash left half made is made whole first. */
  async read(type: ResourceType, sought: Sought): Promise<Resource | undefined> {
    const { path } = sought;
    const found = this.store.read().resources[path];
    // An API that is off doesn't even say that a thing is not there.
    await this.before(type, occasionOf(type, "read", sought, projectOf(sought, found)));
    if (found === undefined || found.type !== type.token) return undefined;
    // Google's side goes on when a client dies; here it does so at the next look.
    if (found.status === "making") await this.finish(type, path, found);
    const data = this.store.read();
    const resource = data.resources[path];
    return resource && { ...resource, outputs: await this.observed(type, path, resource, data) };
  }

  /** Paths of the resources of that type that use the one at `path`. */
  usersOf(path: string, type: string): string[] {
    return Object.entries(this.store.read().resources)
      .filter(([, other]) => other.type === type && other.uses.includes(path))
      .map(([user]) => user);
  }

  /** Changes the resource to the arguments. @returns its outputs @throws Error as Google refuses it */
  async update(type: ResourceType, wanted: Wanted): Promise<Values> {
    const { path, inputs, place } = wanted;
    const occasion = occasionOf(type, "update", wanted, place.project);
    return this.telling(telling(type, occasion, inputs), async () => {
      await this.before(type, occasion);
      const resource = await this.store.change((data) => {
        const previous = data.resources[path];
        if (previous === undefined) throw notFound(path);
        return put(data, type, wanted, inputs, previous);
      });
      const outputs = await this.finish(type, path, resource);
      await this.faults.after(occasion);
      return outputs;
    });
  }

  /** Removes the resource and its parts. Nothing to do when it is gone. @throws Error while it is in use */
  async delete(type: ResourceType, sought: Sought): Promise<void> {
    const { path } = sought;
    const there = this.store.read().resources[path];
    const occasion = occasionOf(type, "delete", sought, projectOf(sought, there));
    await this.telling(telling(type, occasion, there?.inputs ?? {}), async () => {
      await this.before(type, occasion);
      if (there !== undefined) {
        const [user] = (await type.holders?.(this.behind, path, there)) ?? [];
        if (user !== undefined) throw inUse(type.kind, path, user);
      }
      const resource = await this.store.change((data) => {
        const found = data.resources[path];
        if (found === undefined || type.stays?.(found) === true) return undefined;
        type.refuseRemoval?.(found, data);
        const user = userOf(path, data);
        if (user !== undefined) throw inUse(type.kind, path, user);
        return (data.resources[path] = { ...found, status: "removing" as const });
      });
      if (resource !== undefined) await this.removeWithParts(type, path, resource);
      await this.faults.after(occasion);
    });
  }

  /** What comes before every operation: its API has to be on, and a test may want it to fail. */
  private async before(type: ResourceType, occasion: Occasion): Promise<void> {
    refuseUnlessOn(this.store.read(), occasion.project, type.api, this.faults.apiDelayMs());
    await this.faults.before(occasion);
  }

  private async removeWithParts(type: ResourceType, path: string, resource: Resource): Promise<void> {
    const { resources } = this.store.read();
    for (const [part, other] of Object.entries(resources)) {
      if (other.parent === path) await this.removeWithParts(findType(other.type), part, other);
    }
    const left = (await type.leaves?.(this.behind, resource)) ?? {};
    await type.remove?.(this.behind, resource, this.store.read());
    await this.store.remove(path);
    if (Object.keys(left).length === 0) return;
    await this.store.change((data) => {
      data.resources = { ...data.resources, ...left };
    });
  }

  /** Does the resource's work and notes that it is done. */
  private async finish(type: ResourceType, path: string, resource: Resource): Promise<Values> {
    const found = (await type.work?.(this.behind, resource)) ?? {};
    const outputs = { ...resource.outputs, ...found };
    const done: Resource = { ...resource, outputs, status: "ready" };
    await this.store.change((data) => {
      data.resources[path] = done;
    });
    return this.observed(type, path, done, this.store.read());
  }

  /** The resource's outputs, those included that change with what else is there. */
  private async observed(type: ResourceType, path: string, resource: Resource, data: Data): Promise<Values> {
    const users = (await type.users?.(this.behind, path, resource))?.map(selfLink);
    const outputs = { ...resource.outputs, ...type.observe?.(path, resource, data) };
    return users === undefined ? outputs : { ...outputs, users };
  }

  /** Takes away what could not be made, so that the next try finds its place free. */
  private async giveUp(type: ResourceType, path: string, resource: Resource): Promise<void> {
    await type.remove?.(this.behind, resource, this.store.read()).catch(() => undefined);
    await this.store.remove(path);
  }

  private async telling<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = `${what}: ${(error as Error).message}`;
      if (error instanceof HalfMade) throw new HalfMade(message, error.made);
      throw new Error(message, { cause: error });
    }
  }
}

/** Refuses one more of a type than there is room for. @throws ApiError */
function refuseWithoutRoom(data: Data, { token, title }: ResourceType, room: Behind["room"]): void {
  const there = Object.entries(data.resources).filter(([, { type }]) => type === token);
  if (there.length < (room[token] ?? Infinity)) return;
  const text = `The local cloud has room for ${room[token]} ${title}, and '${there[0]?.[0]}' is there`;
  throw new ApiError(400, text, "localLimit");
}

/** Puts the resource in as its arguments say, and what Google makes beside it. @throws ApiError */
function put(data: Data, type: ResourceType, wanted: Wanted, inputs: Values, previous?: Resource): Resource {
  const { path, place } = wanted;
  const uses = type.uses?.(inputs, place) ?? [];
  const parent = type.parent?.(inputs, place);
  const made = previous === undefined ? (type.needs?.(inputs, place) ?? []) : [];
  for (const needed of [...uses, ...made, ...(parent === undefined ? [] : [parent])]) {
    if (data.resources[needed] === undefined) throw notFound(needed);
  }
  const { outputs, inner, beside }: Admitted = type.admit({ path, inputs, place, data, previous });
  const where =
    type.scope === "global" ? {} : { [type.scope]: type.scope === "region" ? place.region : place.zone };
  // What is said of it and is no argument stays, unless it is said anew.
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

/** Path of a resource that uses the one at `path`; of one that is kept as a part, what it is a part of. */
function userOf(path: string, data: Data): string | undefined {
  const user = Object.entries(data.resources).find(([, { uses }]) => uses.includes(path));
  return user?.[1].parent ?? user?.[0];
}

function occasionOf(
  type: ResourceType,
  operation: Operation,
  { path, name }: Named,
  project: string,
): Occasion {
  const [, module = "", title = ""] = type.token.split(":");
  return { type: `${module.split("/")[0] ?? ""}.${title}`, operation, name, path, project };
}

/** What the real provider puts before an error. */
function telling(type: ResourceType, occasion: Occasion, inputs: Values): string {
  const { operation, path } = occasion;
  const of = operation === "update" ? ` "${path}"` : "";
  return type.telling?.(occasion, inputs) ?? `Error ${verbs[operation]} ${type.title}${of}`;
}

const verbs = { create: "creating", read: "reading", update: "updating", delete: "deleting" };

/** The project of a resource: as it says itself, or as most paths do. */
function projectOf({ path, project }: Sought, resource?: Resource): string {
  const said = optionalText(resource?.outputs ?? {}, "project");
  return said ?? /^projects\/([^/]+)/.exec(path)?.[1] ?? project ?? "";
}
