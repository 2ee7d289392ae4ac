import { readFile } from "node:fs/promises";
import path from "node:path";
import { openCloud, removeCloud, type Cloud } from "../../packages/local-cloud/cluster/index.ts";
import { initStack, stackOutputs, type Engine } from "../../packages/local-cloud/environment.ts";
import type { Recipe } from "../../packages/local-cloud/images/index.ts";
import { openLocalEnvironment, type LocalEnvironment } from "../../packages/local-cloud/prepare.ts";

/** The project's stack on a local cloud of a test's own. */
export interface TestStack {
  cloud: Cloud;
  engine: Engine;
  /** Changes configuration: paths to values, e.g. `{ "cluster.nodeCount": 3 }`. */
  set(changes: Record<string, string | number | boolean>): Promise<void>;
  /** `pulumi up`, and then the outputs. */
  up(...args: string[]): Promise<Record<string, unknown>>;
  /** The resources in the state. */
  resources(): Promise<StateResource[]>;
  /** How many there are in the state at this moment, also while a run goes on. */
  countResources(): Promise<number>;
  /** What was made at Google: the paths, those of APIs aside, and of them those whose work was cut off. */
  atGoogle(): Promise<{ paths: string[]; unfinished: string[] }>;
}

/** A resource in the engine's state. */
export interface StateResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
}

/**
 * Prepares a new local cloud with a stack and starts no host. First it removes what a killed test left of the same name.
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
      // Read in the middle of a write it isn't whole.
      return [...text.matchAll(/"urn":\s*"urn:pulumi/g)].length;
    },
    async atGoogle() {
      const text = await readFile(cloud.googleFile, "utf8").catch(() => '{"resources":{}}');
      const { resources } = JSON.parse(text) as { resources: Record<string, { status: string }> };
      // The network `default` and the default account come with the project; an API that was switched on stays so.
      const paths = Object.keys(resources)
        .filter((path) => !/\/networks\/default$|\.googleapis\.com$|-compute@developer\./.test(path))
        .sort();
      return { paths, unfinished: paths.filter((path) => resources[path]?.status !== "ready") };
    },
  };
}
