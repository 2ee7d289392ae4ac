import { readdir } from "node:fs/promises";
import path from "node:path";
import { openCloud, prepareCloud, type Cloud } from "./cluster/index.ts";
import { openEngine, type Engine } from "./environment.ts";
import { installAuthPlugin } from "./google/auth-plugin.ts";
import { grafanaStandIn } from "./grafana/image.ts";
import { ensurePages } from "./grafana/pages/build.ts";
import { ensureImageStore, type Recipe } from "./images/index.ts";
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

/**
 * Builds what is not built yet and lays it into the cloud of that name. Says on standard error what it does.
 *
 * @param more images for its nodes besides the environment's own
 */
export async function openLocalEnvironment(name: string, more: Recipe[] = []): Promise<LocalEnvironment> {
  const cloud = openCloud(name);
  // Beside the toolchain, which leaves room: it takes one core for about a minute, and then the cache has it.
  const building = ensurePages(defaultCacheDir(), report);
  building.catch(() => undefined); // awaited below
  const toolchain = await ensureToolchain();
  const grafana = await grafanaStandIn(toolchain.cacheDir, path.join((await building).dir, "build"));
  const images = await ensureImageStore(toolchain, { report, more: [grafana, ...more] });
  await prepareCloud(cloud, {
    binaries: {
      ...Object.fromEntries(binaries.map((binary) => [binary, toolchain.path(binary)])),
      ...(await filesOf(path.dirname(toolchain.path("pulumi-language-nodejs")))),
      "pulumi-language-nodejs-host": toolchain.path("pulumi-language-nodejs"),
    },
    crds: await filesOf(toolchain.crds),
    imageStore: images.dir,
  });
  await installLanguageHost(cloud.binDir);
  const engine = openEngine(cloud);
  await installAuthPlugin(cloud);
  await installPlugins(cloud.pulumiHome, toolchain);
  return { cloud, engine };
}

async function filesOf(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(files.map(({ name }) => [name, path.join(dir, name)]));
}

function report(line: string): void {
  console.error(`  ${line}`);
}
