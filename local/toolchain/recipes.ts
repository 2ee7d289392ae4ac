import { chmod, copyFile, cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { addPlaceholderPages } from "./alertmanager.ts";
import { run } from "./go.ts";
import { pruneGrafanaPlugin } from "./grafana-plugin.ts";
import { leaveOutTypes } from "./kubernetes-plugin.ts";
import { passNewerCallsOn } from "./language-host.ts";
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

/** Builds a tool's binaries and copies into `build.out`. */
export async function buildTool(build: Build): Promise<void> {
  switch (build.tool.recipe) {
    case undefined:
      await compile(build, build.moduleDir);
      break;
    case "alertmanager":
      await compile(build, await layOutAlertmanager(build));
      break;
    case "language-host":
      await compile(build, await layOutLanguageHost(build));
      break;
    case "kubernetes-plugin":
      await compile(build, await layOutKubernetesPlugin(build));
      break;
    case "grafana-plugin":
      await compile(build, await layOutGrafanaPlugin(build));
      break;
    default:
      build.tool.recipe satisfies never;
  }
  for (const copy of build.tool.copies ?? []) {
    const from = join(await moduleFolder(build, copy.module), copy.from);
    const to = join(build.out, copy.to);
    await mkdir(to, { recursive: true });
    for (const name of (await readdir(from)).filter((name) => copy.only.test(name))) {
      await copyFile(join(from, name), join(to, name));
      // The module cache is read-only, and a launcher must be startable.
      await chmod(join(to, name), copy.to === "." ? 0o755 : 0o644);
    }
  }
}

async function go(build: Build, cwd: string, args: string[]): Promise<string> {
  return run("go", args, { cwd, log: build.log, onLine: build.onLine });
}

async function compile(build: Build, cwd: string, more: string[] = []): Promise<void> {
  const { tool, out } = build;
  const stamps = Object.entries(tool.stamps ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = ["-s -w", ...stamps].join(" ");
  const flags = [
    "-trimpath",
    "-buildvcs=false",
    // Names packages as they are compiled: a person sees that downloading is over, and the log says how far it was.
    "-v",
    // The linker leaves debugging data out (-s -w): not making any takes 6 % off the compiler's work.
    "-gcflags=all=-dwarf=false",
    ...(tool.idle ?? []).map((packages) => `-gcflags=${packages}=-dwarf=false -l`),
    "-ldflags",
    ldflags,
    ...(tool.tags === undefined ? [] : ["-tags", tool.tags]),
    ...more,
  ];
  const binaries = Object.entries(tool.binaries);
  const [only] = binaries;
  // A folder as output names each binary as its package; only a single one can be named otherwise.
  const target = binaries.length === 1 && only !== undefined ? join(out, only[0]) : `${out}/`;
  await go(build, cwd, ["build", ...flags, "-o", target, ...binaries.map(([, path]) => path)]);
}

/** Where a module of the build list lies in the module cache. */
async function moduleFolder(build: Build, module: string): Promise<string> {
  return (await go(build, build.moduleDir, ["list", "-m", "-f", "{{.Dir}}", module])).trim();
}

/** Lays out Alertmanager with placeholders for the pages that it embeds and that its module lacks. */
async function layOutAlertmanager(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/prometheus/alertmanager");
  await addPlaceholderPages(copy);
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

/** Lays out the language host with a monitor that passes on calls newer than its SDK. */
async function layOutLanguageHost(build: Build): Promise<string> {
  const { folder, copy } = await layOutOnCopy(build, "github.com/pulumi/pulumi/sdk/v3");
  await passNewerCallsOn(copy);
  return folder;
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
