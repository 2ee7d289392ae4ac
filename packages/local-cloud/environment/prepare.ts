import { readdir } from "node:fs/promises";
import path from "node:path";
import { openCloud, prepareCloud, type Cloud } from "../cluster/index.ts";
import { openEngine, type Engine } from "./engine.ts";
import { installAuthPlugin } from "../google/auth-plugin.ts";
import { grafanaStandIn } from "../grafana/image.ts";
import { ensurePages } from "../grafana/pages/build.ts";
import { ensureImageStore, pullImages, runsOfficialImages, type Recipe } from "../images/index.ts";
import { bundle } from "../plugin/bundle.ts";
import { projectDir } from "../project/directory.ts";
import { images } from "../project/images.ts";
import { installLanguageHost } from "../language-host/install.ts";
import { installPlugins } from "./plugins.ts";
import { ensureToolchain } from "../toolchain/build.ts";
import { defaultCacheDir } from "../toolchain/cache.ts";

/** A prepared cloud that is not running yet, and its engine. */
export interface LocalEnvironment {
  cloud: Cloud;
  engine: Engine;
}

/** Binaries of the cloud's hosts, its engine and its users. Programs of containers are in the images. */
const binaries = ["machine-init", "etcd", "kubectl", "pulumi", "promtool", "amtool", "sample-run"];

/** Names by which the binary `kubernetes` is called (toolchain/modules/kubernetes/main.go). */
const kubernetesPrograms = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-proxy",
  "kube-scheduler",
  "kubelet",
];

/**
 * Binaries of the container images, which are not built if the official images are used. The hosts use two of them,
 * `promtool` and `amtool`, and lack them in that case.
 */
const imagePrograms = [
  "operator",
  "prometheus-config-reloader",
  "prometheus",
  "promtool",
  "alertmanager",
  "amtool",
  "pushgateway",
];

/**
 * Main modules of the cloud's background programs, by name. They run as bundles, because tsx would have to compile the
 * sources at each start. The agent's bundle starts a second faster and needs 80 MiB less memory.
 */
const backgroundPrograms = {
  agent: "packages/local-cloud/cluster/agent-main.ts",
  "pod-forward": "packages/local-cloud/cluster/pod-forward-main.ts",
};

/** Options of {@link openLocalEnvironment}. */
export interface LocalEnvironmentOptions {
  /** Additional images for the nodes. @default none */
  more?: Recipe[];
}

/**
 * Builds missing tools and images and installs them into the cloud. Prints its steps on standard error. With
 * K8SFV_OFFICIAL_IMAGES=true it pulls the images of versions.ts instead of building their programs.
 *
 * @throws ToolchainError when a build fails, and Error that names an image that can't be pulled
 */
export async function openLocalEnvironment(
  name: string,
  { more = [] }: LocalEnvironmentOptions = {},
): Promise<LocalEnvironment> {
  const cloud = openCloud(name);
  const isOfficial = runsOfficialImages();
  const standIn = isOfficial ? undefined : standInRecipe();
  // The promise is awaited below. Until then, this handler keeps a rejection from ending the process.
  standIn?.catch(() => undefined);
  const toolchain = await ensureToolchain(isOfficial ? { without: imagePrograms } : {});
  const { cacheDir } = toolchain;
  const imageStore = await ensureImageStore(
    toolchain,
    standIn === undefined
      ? { report, more, official: await pullImages(Object.values(images), { cacheDir, report }) }
      : { report, more: [await standIn, ...more] },
  );
  const programs = isOfficial ? binaries.filter((binary) => !imagePrograms.includes(binary)) : binaries;
  await prepareCloud(cloud, {
    binaries: {
      ...Object.fromEntries(programs.map((binary) => [binary, toolchain.path(binary)])),
      ...Object.fromEntries(kubernetesPrograms.map((name) => [name, toolchain.path("kubernetes")])),
      ...(await filesOf(path.dirname(toolchain.path("pulumi-language-nodejs")))),
      "pulumi-language-nodejs-host": toolchain.path("pulumi-language-nodejs"),
    },
    crds: await filesOf(toolchain.crds),
    imageStore: imageStore.dir,
  });
  await installLanguageHost(cloud.binDir);
  const engine = openEngine(cloud);
  await installAuthPlugin(cloud);
  await Promise.all([
    installPlugins(cloud.pulumiHome, toolchain),
    ...Object.entries(backgroundPrograms).map(([name, main]) =>
      bundle(path.join(projectDir, main), path.join(cloud.programsDir, name)),
    ),
  ]);
  return { cloud, engine };
}

/** Builds the Grafana stand-in and its pages. The build takes one core about a minute, and its result is cached. */
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
