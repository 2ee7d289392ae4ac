import { chmod, copyFile, cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { addPlaceholderPages } from "./alertmanager.ts";
import { run } from "./go.ts";
import { leaveOutTypes } from "./kubernetes-plugin.ts";
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

type CSettings = Pick<Tool, "cgo" | "cflags">;

/** Builds a tool's binaries and copies into `build.out`. */
export async function buildTool(build: Build): Promise<void> {
  switch (build.tool.recipe) {
    case undefined:
      await compile(build, build.moduleDir);
      break;
    case "alertmanager":
      await compile(build, await layOutAlertmanager(build));
      break;
    case "kubernetes-plugin":
      await compile(build, await layOutKubernetesPlugin(build));
      break;
    case "grafana":
      await compile(build, await generateGrafana(build));
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

async function go(build: Build, cwd: string, args: string[], c: CSettings = {}): Promise<string> {
  return run("go", args, { cwd, log: build.log, ...c, onLine: build.onLine });
}

async function compile(build: Build, cwd: string, more: string[] = []): Promise<void> {
  const { tool, out } = build;
  const stamps = Object.entries(tool.stamps ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = ["-s -w", ...stamps, tool.ldflags ?? ""].join(" ").trim();
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
  await go(build, cwd, ["build", ...flags, "-o", target, ...binaries.map(([, path]) => path)], tool);
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

/**
 * Copies our module to `folder`, and to `copy` a Go module that it requires, and replaces the one by the other:
 * Go refuses an overlay of files in its module cache. Go checks the original's contents against go.sum.
 */
async function layOutOnCopy(build: Build, module: string): Promise<{ folder: string; copy: string }> {
  await go(build, build.moduleDir, ["mod", "download", module]);
  const folder = join(build.scratch, "module");
  const copy = join(build.scratch, "copy");
  await copyWritable(build.moduleDir, folder);
  await copyWritable(await moduleFolder(build, module), copy);
  await go(build, folder, ["mod", "edit", `-replace=${module}=../copy`]);
  return { folder, copy };
}

/**
 * The provider embeds its schema, stamped with the release, and a mapping: both lie in its own module. It is
 * built in a folder with them, on a copy of its SDK without what takes longest to compile.
 */
async function layOutKubernetesPlugin(build: Build): Promise<string> {
  const provider = "github.com/pulumi/pulumi-kubernetes/provider/v4";
  const sdk = "github.com/pulumi/pulumi-kubernetes/sdk/v4";
  await go(build, build.moduleDir, ["mod", "download", provider]);
  const { folder, copy } = await layOutOnCopy(build, sdk);
  await leaveOutTypes(copy);
  const from = join(await moduleFolder(build, provider), "cmd", "pulumi-resource-kubernetes");
  const schema = JSON.parse(await readFile(join(from, "schema.json"), "utf8")) as Record<string, unknown>;
  const stamped = { ...schema, version: build.tool.stamps?.["main.version"] };
  await writeFile(join(folder, "schema.json"), JSON.stringify(stamped));
  await copyWritable(join(from, "terraform-mapping.json"), join(folder, "terraform-mapping.json"));
  return folder;
}

const GRAFANA = "github.com/grafana/grafana@v1.9.2-0.20230609164553-81d85ce8028d";

/**
 * Grafana's module lacks the code that `wire` generates, so it is built from a
 * copy. Its go.mod counts there, with the replacements it needs; our module
 * only pins `wire` and, in go.sum, the contents of Grafana's module.
 */
async function generateGrafana(build: Build): Promise<string> {
  const found = await go(build, build.moduleDir, ["mod", "download", "-json", GRAFANA]);
  const { Dir: module } = JSON.parse(found) as { Dir: string };
  const source = join(build.scratch, "grafana");
  for (const part of [
    "go.mod",
    "go.sum",
    "embed.go",
    "cue.mod",
    "kinds",
    "pkg",
    "packages/grafana-schema",
    "public/app/plugins",
  ]) {
    await copyWritable(join(module, part), join(source, part));
  }
  const wire = join(build.scratch, "wire");
  await go(build, build.moduleDir, ["build", "-o", wire, "github.com/google/wire/cmd/wire"]);
  await run(wire, ["gen", "-tags", "oss", "./pkg/server"], {
    cwd: source,
    log: build.log,
    // It reads the types of what is in C too, and for that has all C compiled, only to throw it away.
    cgo: true,
    cflags: "-O0",
    onLine: build.onLine,
  });
  await grafanaHome(module, join(build.out, "grafana-home"));
  return source;
}

/** What the server reads at run time: settings, mail templates, the manifests of its built-in plugins. */
async function grafanaHome(module: string, home: string): Promise<void> {
  for (const part of [
    "conf",
    "public/emails",
    "public/views",
    "public/dashboards",
    "public/img/user_profile.png",
    "public/robots.txt",
  ]) {
    await copyWritable(join(module, part), join(home, part));
  }
  const plugins = "public/app/plugins";
  await copyWritable(join(module, plugins), join(home, plugins), /(\/[^./]+|\.(json|svg|png|cue))$/);
  await mkdir(join(home, "plugins-bundled"), { recursive: true });
}

/** Copies a file or folder out of the read-only module cache. */
async function copyWritable(from: string, to: string, only = /./): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: (path) => only.test(path.slice(from.length)) || path === from,
  });
  await execa("chmod", ["-R", "u+w", to]);
}
