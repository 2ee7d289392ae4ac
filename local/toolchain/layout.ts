import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { addPlaceholderPages } from "./alertmanager.ts";
import { pruneEngine } from "./engine.ts";
import { run } from "./go.ts";
import { pruneGrafanaPlugin } from "./grafana-plugin.ts";
import { leaveOutTypes } from "./kubernetes-plugin.ts";
import { passNewerCallsOn } from "./language-host.ts";
import { addPrometheusPages } from "./prometheus-pages.ts";
import type { Tool } from "./tools.ts";

/** One build: the tool, its module, the folder to fill and where to report. */
export interface Build {
  tool: Tool;
  moduleDir: string;
  /** The folder to fill; what is not part of the result goes to `scratch`. */
  out: string;
  scratch: string;
  log: string;
  onLine: (line: string) => void;
}

/** Lays out the Go module from which a tool is built. @returns its folder */
export async function layOut(build: Build): Promise<string> {
  switch (build.tool.recipe) {
    case undefined:
      return build.moduleDir;
    case "alertmanager":
      return layOutAlertmanager(build);
    case "engine":
      return layOutEngine(build);
    case "prometheus":
      return layOutPrometheus(build);
    case "language-host":
      return layOutLanguageHost(build);
    case "kubernetes-plugin":
      return layOutKubernetesPlugin(build);
    case "grafana-plugin":
      return layOutGrafanaPlugin(build);
  }
}

/** Runs Go for a build. @returns its standard output */
export async function go(build: Build, cwd: string, args: string[]): Promise<string> {
  return run("go", args, { cwd, log: build.log, onLine: build.onLine });
}

/** Folder in the module cache of a module of the build list. */
export async function moduleFolder(build: Build, module: string): Promise<string> {
  return (await go(build, build.moduleDir, ["list", "-m", "-f", "{{.Dir}}", module])).trim();
}

/** Lays out Alertmanager with placeholders for the pages that it embeds and that its module lacks. */
async function layOutAlertmanager(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/prometheus/alertmanager");
  await addPlaceholderPages(copy);
  return folder;
}

/** Lays out Prometheus with its pages built, which its module has only the sources of. */
async function layOutPrometheus(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/prometheus/prometheus");
  await addPrometheusPages(copy, join(build.moduleDir, "pages"), (cwd, command, args) =>
    run(command, args, { cwd, log: build.log, onLine: build.onLine }),
  );
  return folder;
}

/** Lays out Pulumi's engine without the clients of other clouds. */
async function layOutEngine(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/pulumi/pulumi/pkg/v3");
  await pruneEngine(copy);
  return folder;
}

/** Lays out the language host with a monitor that passes on calls newer than its SDK. */
async function layOutLanguageHost(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/pulumi/pulumi/sdk/v3");
  await passNewerCallsOn(copy);
  return folder;
}

/** Lays out Grafana's provider on a copy with nothing but the resources in use. */
async function layOutGrafanaPlugin(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/grafana/terraform-provider-grafana/v4");
  await pruneGrafanaPlugin(copy);
  return folder;
}

/**
 * Copies our module to `folder`, and to `copy` a Go module that it requires, and replaces the one by the other:
 * Go refuses an overlay of files in its module cache. Go checks the original's contents against go.sum.
 */
async function layOutOnCopy(build: Build, module: string): Promise<{ folder: string; copy: string }> {
  const folder = join(build.scratch, "module");
  const copy = join(build.scratch, "copy");
  await copyWritable(build.moduleDir, folder);
  await copyWritable(await downloadModule(build, module), copy);
  await go(build, folder, ["mod", "edit", `-replace=${module}=../copy`]);
  return { folder, copy };
}

/**
 * Downloads a module that our go.mod requires, without reading what it requires in turn: Grafana's provider names
 * modules that must not be had. @returns its folder in the module cache
 */
async function downloadModule(build: Build, module: string): Promise<string> {
  const goMod = JSON.parse(await go(build, build.moduleDir, ["mod", "edit", "-json"])) as {
    Require: { Path: string; Version: string }[];
  };
  const version = goMod.Require.find(({ Path }) => Path === module)?.Version ?? "";
  const found = await go(build, build.moduleDir, ["mod", "download", "-json", `${module}@${version}`]);
  return (JSON.parse(found) as { Dir: string }).Dir;
}

/**
 * The provider embeds its schema, stamped with the release, and a mapping: both lie in its own module. It is
 * built in a folder with them, on a copy of its SDK without what takes longest to compile.
 */
async function layOutKubernetesPlugin(build: Build): Promise<string> {
  const provider = "github.com/pulumi/pulumi-kubernetes/provider/v4";
  const sdk = "github.com/pulumi/pulumi-kubernetes/sdk/v4";
  const { folder, copy } = await layOutOnCopy(build, sdk);
  await leaveOutTypes(copy);
  const from = join(await downloadModule(build, provider), "cmd", "pulumi-resource-kubernetes");
  const schema = JSON.parse(await readFile(join(from, "schema.json"), "utf8")) as Record<string, unknown>;
  const stamped = { ...schema, version: build.tool.stamps?.["main.version"] };
  await writeFile(join(folder, "schema.json"), JSON.stringify(stamped));
  await copyWritable(join(from, "terraform-mapping.json"), join(folder, "terraform-mapping.json"));
  return folder;
}

/** Copies a file or folder out of the read-only module cache. */
async function copyWritable(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  await execa("chmod", ["-R", "u+w", to]);
}
