import type { Values } from "../plugin/values.ts";
import { alreadyExists, inUse, notFound } from "./api-error.ts";
import type { FaultInjector, Occasion, Operation } from "./faults.ts";
import type { Place } from "./place.ts";
import type { Admitted, Behind, ResourceType } from "./resource-type.ts";
import { findType } from "./resources/index.ts";
import type { Data, Resource, Store } from "./store.ts";

/** A resource that an operation is about. */
interface Named {
  readonly path: string;
  /** Its name in the program. */
  readonly name: string;
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
    return this.telling(`Error creating ${type.title}`, async () => {
      await this.faults.before(occasion);
      const resource = await this.store.change((data) => {
        if (data.resources[path] !== undefined) throw alreadyExists(path);
        return (data.resources[path] = admitted(type, wanted, data, inputs));
      });
      const outputs = await this.finish(type, path, resource).catch(async (error: unknown) => {
        await this.giveUp(type, path, resource);
        throw error;
      });
      await this.faults.after(occasion);
      return outputs;
    });
  }

  /** The resource as it is, undefined when it is gone. What a crash left half made is made whole first. */
  async read(type: ResourceType, { path, name }: Named): Promise<Resource | undefined> {
    const found = this.store.read().resources[path];
    if (found === undefined || found.type !== type.token) return undefined;
    await this.faults.before(occasionOf(type, "read", { path, name }, projectOf(path)));
    // Google's side goes on when a client dies; here it does so at the next look.
    if (found.status === "making") await this.finish(type, path, found);
    return this.store.read().resources[path];
  }

  /** Changes the resource to the arguments. @returns its outputs @throws Error as Google refuses it */
  async update(type: ResourceType, wanted: Wanted): Promise<Values> {
    const { path, inputs, place } = wanted;
    const occasion = occasionOf(type, "update", wanted, place.project);
    return this.telling(`Error updating ${type.title} "${path}"`, async () => {
      await this.faults.before(occasion);
      const resource = await this.store.change((data) => {
        const previous = data.resources[path];
        if (previous === undefined) throw notFound(path);
        const next = admitted(type, wanted, data, inputs, previous);
        const kept = Object.entries(previous.outputs).filter(([key]) => previous.inputs[key] === undefined);
        return (data.resources[path] = {
          ...next,
          outputs: { ...Object.fromEntries(kept), ...next.outputs },
        });
      });
      const outputs = await this.finish(type, path, resource);
      await this.faults.after(occasion);
      return outputs;
    });
  }

  /** Removes the resource and its parts. Nothing to do when it is gone. @throws Error while it is in use */
  async delete(type: ResourceType, { path, name }: Named): Promise<void> {
    const occasion = occasionOf(type, "delete", { path, name }, projectOf(path));
    await this.telling(`Error deleting ${type.title}`, async () => {
      await this.faults.before(occasion);
      const resource = await this.store.change((data) => {
        const found = data.resources[path];
        if (found === undefined) return undefined;
        type.refuseRemoval?.(found);
        const user = userOf(path, data);
        if (user !== undefined) throw inUse(type.kind, path, user);
        return (data.resources[path] = { ...found, status: "removing" as const });
      });
      if (resource !== undefined) await this.removeWithParts(type, path, resource);
      await this.faults.after(occasion);
    });
  }

  private async removeWithParts(type: ResourceType, path: string, resource: Resource): Promise<void> {
    const { resources } = this.store.read();
    for (const [part, other] of Object.entries(resources)) {
      if (other.parent === path) await this.removeWithParts(findType(other.type), part, other);
    }
    await type.remove?.(this.behind, resource, this.store.read());
    await this.store.remove(path);
  }

  /** Does the resource's work and notes that it is done. */
  private async finish(type: ResourceType, path: string, resource: Resource): Promise<Values> {
    const found = (await type.work?.(this.behind, resource)) ?? {};
    return this.store.change((data) => {
      const outputs = { ...resource.outputs, ...found };
      data.resources[path] = { ...resource, outputs, status: "ready" };
      return outputs;
    });
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
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** The resource as it is let in. @throws ApiError */
function admitted(
  type: ResourceType,
  wanted: Wanted,
  data: Data,
  inputs: Values,
  previous?: Resource,
): Resource {
  const { path, place } = wanted;
  const uses = type.uses?.(inputs, place) ?? [];
  const parent = type.parent?.(inputs, place);
  for (const needed of parent === undefined ? uses : [...uses, parent]) {
    if (data.resources[needed] === undefined) throw notFound(needed);
  }
  const { outputs, inner }: Admitted = type.admit({ path, inputs, place, data, previous });
  const where =
    type.scope === "global" ? {} : { [type.scope]: type.scope === "region" ? place.region : place.zone };
  return {
    type: type.token,
    inputs,
    outputs: { ...inputs, project: place.project, ...where, ...outputs },
    status: "making",
    uses,
    parent,
    inner: inner ?? {},
  };
}

/** Path of a resource that uses the one at `path`. */
function userOf(path: string, data: Data): string | undefined {
  return Object.keys(data.resources).find((other) => data.resources[other]?.uses.includes(path));
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

function projectOf(path: string): string {
  return path.replace(/^projects\//, "").split("/")[0] ?? "";
}
