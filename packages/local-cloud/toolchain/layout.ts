import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { addPlaceholderPages } from "./alertmanager.ts";
import { pruneEngine } from "./engine.ts";
import { run } from "./go.ts";
import { pruneGrafanaPlugin } from "./grafana-plugin.ts";
import { pruneKubernetesSdk } from "./kubernetes-plugin.ts";
import { forwardUnknownCalls } from "./language-host.ts";
import { addPrometheusPages } from "./prometheus-pages.ts";
import type { Tool } from "./tools.ts";

/** A build: the tool, its Go module, its directories and its log. */
export interface Build {
  tool: Tool;
  moduleDir: string;
  /** Directory for the result; other files go to `scratch`. */
  out: string;
  scratch: string;
  log: string;
  onLine: (line: string) => void;
}

/** Prepares the Go module from which a tool is built. @returns its directory */
export async function prepareModule(build: Build): Promise<string> {
  switch (build.tool.recipe) {
    case undefined:
      return build.moduleDir;
    case "alertmanager":
      return prepareAlertmanager(build);
    case "engine":
      return prepareEngine(build);
    case "prometheus":
      return preparePrometheus(build);
    case "language-host":
      return prepareLanguageHost(build);
    case "kubernetes-plugin":
      return prepareKubernetesPlugin(build);
    case "grafana-plugin":
      return prepareGrafanaPlugin(build);
  }
}

/** Runs Go for a build. @returns its standard output */
export async function go(build: Build, cwd: string, args: string[]): Promise<string> {
  return run("go", args, { cwd, log: build.log, onLine: build.onLine });
}

/**
 * Prepares Alertmanager with placeholder web pages. The program embeds the files of its pages, but Alertmanager's Go
 * module doesn't contain these files.
 */
async function prepareAlertmanager(build: Build): Promise<string> {
  const { folder, copy } = await prepareWithCopy(build, "github.com/prometheus/alertmanager");
  await addPlaceholderPages(copy);
  return folder;
}

/** Prepares Prometheus with its web pages built: its Go module contains only their sources. */
async function preparePrometheus(build: Build): Promise<string> {
  const { folder, copy } = await prepareWithCopy(build, "github.com/prometheus/prometheus");
  await addPrometheusPages(copy, join(build.moduleDir, "pages"), (cwd, command, args) =>
    run(command, args, { cwd, log: build.log, onLine: build.onLine }),
  );
  return folder;
}

/** Prepares Pulumi's engine without its clients for cloud storage, key and log services. */
async function prepareEngine(build: Build): Promise<string> {
  const { folder, copy } = await prepareWithCopy(build, "github.com/pulumi/pulumi/pkg/v3");
  await pruneEngine(copy);
  return folder;
}

/**
 * Prepares Pulumi's language host for Node.js. The host is built with an older SDK than the Pulumi program uses, so
 * this function edits its source to forward unknown gRPC calls to the engine.
 */
async function prepareLanguageHost(build: Build): Promise<string> {
  const { folder, copy } = await prepareWithCopy(build, "github.com/pulumi/pulumi/sdk/v3");
  await forwardUnknownCalls(copy);
  return folder;
}

/** Prepares Grafana's provider with only the resources in use. */
async function prepareGrafanaPlugin(build: Build): Promise<string> {
  const { folder, copy } = await prepareWithCopy(build, "github.com/grafana/terraform-provider-grafana/v4");
  await pruneGrafanaPlugin(copy);
  return folder;
}

/**
 * Makes writable copies of two Go modules: `folder` is a copy of the tool's module, and `copy` is a copy of its
 * dependency `module`. A replace directive in the go.mod of `folder` points to `copy`. The copy is needed because Go
 * does not support overlays for files in its module cache. Go verifies the original module against go.sum.
 */
async function prepareWithCopy(build: Build, module: string): Promise<{ folder: string; copy: string }> {
  const folder = join(build.scratch, "module");
  const copy = join(build.scratch, "copy");
  await copyWritable(build.moduleDir, folder);
  await copyWritable(await downloadModule(build, module), copy);
  await go(build, folder, ["mod", "edit", `-replace=${module}=../copy`]);
  return { folder, copy };
}

/**
 * Downloads one module that the tool's go.mod requires, but not the dependencies of that module. Those of Grafana's
 * provider include modules under the AGPL, which must not be downloaded.
 *
 * @returns its directory in the module cache
 */
export async function downloadModule(build: Build, module: string): Promise<string> {
  const goMod = JSON.parse(await go(build, build.moduleDir, ["mod", "edit", "-json"])) as {
    Require: { Path: string; Version: string }[];
  };
  const version = goMod.Require.find(({ Path }) => Path === module)?.Version ?? "";
  const found = await go(build, build.moduleDir, ["mod", "download", "-json", `${module}@${version}`]);
  return (JSON.parse(found) as { Dir: string }).Dir;
}

/**
 * Prepares the Kubernetes provider. The program embeds two files, which are copied from the provider's Go module: the
 * schema, into which the release's version is written, and a mapping of Terraform types. The program is built against a
 * copy of the SDK without the packages that take longest to compile.
 */
async function prepareKubernetesPlugin(build: Build): Promise<string> {
  const provider = "github.com/pulumi/pulumi-kubernetes/provider/v4";
  const sdk = "github.com/pulumi/pulumi-kubernetes/sdk/v4";
  const { folder, copy } = await prepareWithCopy(build, sdk);
  await pruneKubernetesSdk(copy);
  const from = join(await downloadModule(build, provider), "cmd", "pulumi-resource-kubernetes");
  const schema = JSON.parse(await readFile(join(from, "schema.json"), "utf8")) as Record<string, unknown>;
  const stamped = { ...schema, version: build.tool.stamps?.["main.version"] };
  await writeFile(join(folder, "schema.json"), JSON.stringify(stamped));
  await copyWritable(join(from, "terraform-mapping.json"), join(folder, "terraform-mapping.json"));
  return folder;
}

/** Copies a file or directory from the read-only module cache and makes it writable. */
async function copyWritable(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true });
  await execa("chmod", ["-R", "u+w", to]);
}
