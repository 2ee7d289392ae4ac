import { readdir } from "node:fs/promises";
import path from "node:path";
import { openCloud, prepareCloud, type Cloud } from "./cluster/index.ts";
import { openEngine, type Engine } from "./environment.ts";
import { installAuthPlugin } from "./google/auth-plugin.ts";
import { grafanaStandIn } from "./grafana/image.ts";
import { ensurePages } from "./grafana/pages/build.ts";
import { ensureImageStore, pullImages, runsOfficialImages, type Recipe } from "./images/index.ts";
import { images } from "../versions.ts";
import { installLanguageHost } from "./language-host/install.ts";
import { installPlugins } from "./plugins.ts";
import { ensureToolchain } from "./toolchain/build.ts";
import { defaultCacheDir } from "./toolchain/cache.ts";

/** A cloud with everything laid in place for the engine and the machines; nothing of it runs yet. */
export interface LocalEnvironment {
  cloud: Cloud;
  engine: Engine;
}

/** What the machines of a cloud, its engine and its people run. Containers' programs are in the images. */
const binaries = [
  "machine-init",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
  "pulumi",
  "promtool",
  "amtool",
  "sample-run",
];

/** Programs that only the images of versions.ts have, or that come with them. */
const inImages = [
  "operator",
  "prometheus-config-reloader",
  "prometheus",
  "promtool",
  "alertmanager",
  "amtool",
  "pushgateway",
];

/** Arguments of openLocalEnvironment. */
export interface LocalEnvironmentOptions {
  /** Images for the nodes besides the environment's own. @default none */
  more?: Recipe[];
}

/**
 * Builds what is not built yet and lays it into the cloud of that name. Says on standard error what it does. With
 * K8SFV_OFFICIAL_IMAGES=true it builds none of the programs in the images of versions.ts, and pulls these instead.
 *
 * @throws Error that names the image that can't be pulled, and ToolchainError
 */
export async function openLocalEnvironment(
  name: string,
  { more = [] }: LocalEnvironmentOptions = {},
): Promise<LocalEnvironment> {
  const cloud = openCloud(name);
  const isOfficial = runsOfficialImages();
  const standIn = isOfficial ? undefined : standInRecipe();
  standIn?.catch(() => undefined); // awaited below
  const toolchain = await ensureToolchain(isOfficial ? { without: inImages } : {});
  const { cacheDir } = toolchain;
  const imageStore = await ensureImageStore(
    toolchain,
    standIn === undefined
      ? { report, more, official: await pullImages(Object.values(images), { cacheDir, report }) }
      : { report, more: [await standIn, ...more] },
  );
  const programs = isOfficial ? binaries.filter((binary) => !inImages.includes(binary)) : binaries;
  await prepareCloud(cloud, {
    binaries: {
      ...Object.fromEntries(programs.map((binary) => [binary, toolchain.path(binary)])),
      ...(await filesOf(path.dirname(toolchain.path("pulumi-language-nodejs")))),
      "pulumi-language-nodejs-host": toolchain.path("pulumi-language-nodejs"),
    },
    crds: await filesOf(toolchain.crds),
    imageStore: imageStore.dir,
  });
  await installLanguageHost(cloud.binDir);
  const engine = openEngine(cloud);
  await installAuthPlugin(cloud);
  await installPlugins(cloud.pulumiHome, toolchain);
  return { cloud, engine };
}

/**
 * Builds the stand-in for Grafana with its pages. Beside the toolchain, which leaves room: it takes one core for about a
 * minute, and then the cache has it.
 */
async function standInRecipe(): Promise<Recipe> {
  const { dir } = await ensurePages(defaultCacheDir(), report);
  return grafanaStandIn(defaultCacheDir(), path.join(dir, "build"));
}

async function filesOf(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, path.join(dir, name)]));
}

function report(line: string): void {
  console.error(`  ${line}`);
}
