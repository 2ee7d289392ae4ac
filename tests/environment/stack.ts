import { readFile } from "node:fs/promises";
import path from "node:path";
import {
  type Cloud,
  type Engine,
  type LocalEnvironment,
  initStack,
  openCloud,
  openLocalEnvironment,
  removeCloud,
  stackOutputs,
} from "k8sfv-local-cloud";
import type { Recipe } from "k8sfv-local-cloud/images";

/** The project's stack on a separate local cloud. */
export interface TestStack {
  cloud: Cloud;
  engine: Engine;
  /** Changes configuration values by path, e.g. `{ "cluster.nodeCount": 3 }`. */
  set(changes: Record<string, string | number | boolean>): Promise<void>;
  /** Runs `pulumi up` and returns the outputs. */
  up(...args: string[]): Promise<Record<string, unknown>>;
  /** Returns the resources in the state. */
  resources(): Promise<StateResource[]>;
  /** Returns the current number of resources in the state, even during a run. */
  countResources(): Promise<number>;
  /**
   * Returns the paths of all Google resources except APIs, the network `default` and the default service account.
   * `unfinished` has the paths of resources whose operation was interrupted.
   */
  atGoogle(): Promise<{ paths: string[]; unfinished: string[] }>;
}

/** A resource in the state. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
}

/**
 * Prepares a new local cloud with a stack and starts no host. Removes an old cloud of the same name first.
 *
 * @param more images to add to those of the local cloud
 */
export async function openTestCloud(name: string, more: Recipe[] = []): Promise<LocalEnvironment> {
  await removeCloud(openCloud(name));
  const environment = await openLocalEnvironment(name, { more });
  await initStack(environment.cloud, environment.engine);
  return environment;
}

/** Prepares a new local cloud, as {@link openTestCloud} does, and returns its stack. */
export async function openTestStack(name: string, more: Recipe[] = []): Promise<TestStack> {
  const { cloud, engine } = await openTestCloud(name, more);
  return {
    cloud,
    engine,
    async set(changes) {
      for (const [path, value] of Object.entries(changes)) {
        await engine.pulumi(["config", "set", "--path", `k8sfv-metrics:${path}`, String(value)]);
      }
    },
    async up(...args) {
      await engine.pulumi(["up", "--yes", "--skip-preview", ...args]);
      return stackOutputs(engine);
    },
    async resources() {
      const { deployment } = JSON.parse(await engine.pulumi(["stack", "export"])) as {
        deployment: { resources?: StateResource[] };
      };
      return deployment.resources ?? [];
    },
    async countResources() {
      const file = path.join(cloud.pulumiDir, "state/.pulumi/stacks/k8sfv-metrics/local.json");
      const text = await readFile(file, "utf8").catch(() => "");
      // The file may be incomplete while the engine writes it, so it is not parsed.
      return [...text.matchAll(/"urn":\s*"urn:pulumi/g)].length;
    },
    async atGoogle() {
      const text = await readFile(cloud.googleFile, "utf8").catch(() => '{"resources":{}}');
      const { resources } = JSON.parse(text) as { resources: Record<string, { status: string }> };
      // Leaves out what `pulumi destroy` keeps: the project's network `default`, its default service account, and
      // enabled APIs.
      const paths = Object.keys(resources)
        .filter((path) => !/\/networks\/default$|\.googleapis\.com$|-compute@developer\./.test(path))
        .sort();
      return { paths, unfinished: paths.filter((path) => resources[path]?.status !== "ready") };
    },
  };
}
