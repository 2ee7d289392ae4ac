import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { cacheKey, defaultCacheDir, fill, sweep } from "./cache.ts";
import { diagnose, lastLines } from "./diagnose.ts";
import { ToolchainError, findGo } from "./go.ts";
import { type Output, Progress } from "./progress.ts";
import { buildTool } from "./recipes.ts";
import { type Budget, pickNext } from "./schedule.ts";
import { TOOLS, type Tool } from "./tools.ts";

export { ToolchainError } from "./go.ts";

const LOCAL = resolve(import.meta.dirname, "..");
/**
 * Limits of parallel builds: their number, and the sum of their tools' `memory` in GB. A third build uses the cores
 * while the two others download modules. A cold build of all tools needed at most 4.3 GB of memory.
 */
const BUDGET: Budget = { slots: 3, memory: 8 };

export interface ToolchainOptions {
  /** Tools to choose from. @default all tools of the local cloud */
  tools?: readonly Tool[];
  /** Cache directory. @default `${XDG_CACHE_HOME:-~/.cache}/k8sfv-metrics/toolchain` */
  cacheDir?: string;
  /** Build only the tools that provide these binaries. @default all */
  only?: readonly string[];
  /** Binaries that are not needed. A tool is not built if it provides only such binaries. @default none */
  without?: readonly string[];
  /** Stream for progress messages. @default process.stderr */
  output?: Output;
}

/** Built tools. */
export interface Toolchain {
  cacheDir: string;
  /** Directory of each tool. */
  folders: readonly string[];
  /** Returns the absolute path of a binary, e.g. "kubelet". @throws ToolchainError when it was not requested */
  path(binary: string): string;
  /** Directory of the Prometheus Operator's CRDs as YAML files. */
  crds: string;
}

interface Target extends Tool {
  moduleDir: string;
  folder: string;
}

/**
 * Returns the local cloud's binaries, after building those that the cache lacks. Takes well under a second if the cache
 * contains all of them.
 *
 * @throws ToolchainError with all failures and their cures
 */
export async function ensureToolchain(options: ToolchainOptions = {}): Promise<Toolchain> {
  const cacheDir = resolve(options.cacheDir ?? defaultCacheDir());
  const go = await findGo();
  const targets = await Promise.all(
    excludeTools(options.without ?? [], select(options.only, options.tools ?? TOOLS)).map(
      async (tool): Promise<Target> => {
        const moduleDir = join(LOCAL, tool.module);
        return {
          ...tool,
          moduleDir,
          folder: join(cacheDir, `${tool.name}-${await cacheKey(tool, moduleDir, go)}`),
        };
      },
    ),
  );
  const missing = targets.filter((target) => !existsSync(target.folder));
  if (missing.length > 0) await buildAll(missing, cacheDir, options.output ?? process.stderr);
  return describe(targets, cacheDir);
}

/**
 * Removes the tools' builds that are not in `folders`, e.g. of older sources or other Go versions. `folders` must
 * contain the current builds of all tools, because the others are removed. No other build may run meanwhile.
 */
export async function removeOutdated({
  cacheDir,
  folders,
}: Pick<Toolchain, "cacheDir" | "folders">): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const isTool = TOOLS.some((tool) => new RegExp(`^${tool.name}-[0-9a-f]{16}$`).test(name));
    if (isTool && !folders.includes(join(cacheDir, name)))
      await rm(join(cacheDir, name), { recursive: true });
  }
}

/**
 * Returns the tools that provide the named binaries, or all tools.
 * @throws ToolchainError for an unknown name
 */
function select(only: readonly string[] | undefined, tools: readonly Tool[]): readonly Tool[] {
  if (only === undefined) return tools;
  const has = (tool: Tool, name: string): boolean =>
    name in tool.binaries || (tool.folders ?? []).includes(name);
  for (const name of only) {
    if (!tools.some((tool) => has(tool, name))) {
      const known = tools.flatMap((tool) => [...Object.keys(tool.binaries), ...(tool.folders ?? [])]);
      throw new ToolchainError(`Unknown tool "${name}". Known tools: ${known.join(", ")}.`);
    }
  }
  return tools.filter((tool) => only.some((name) => has(tool, name)));
}

/** Returns the tools that provide at least one binary or folder that is not in `names`. */
function excludeTools(names: readonly string[], tools: readonly Tool[]): readonly Tool[] {
  return tools.filter((tool) =>
    [...Object.keys(tool.binaries), ...(tool.folders ?? [])].some((made) => !names.includes(made)),
  );
}

function describe(targets: readonly Target[], cacheDir: string): Toolchain {
  const paths = new Map<string, string>();
  for (const target of targets) {
    for (const name of [...Object.keys(target.binaries), ...(target.folders ?? [])])
      paths.set(name, join(target.folder, name));
  }
  const path = (name: string): string => {
    const found = paths.get(name);
    if (found === undefined) throw new ToolchainError(`"${name}" was not requested from ensureToolchain.`);
    return found;
  };
  return {
    cacheDir,
    folders: targets.map(({ folder }) => folder),
    path,
    get crds() {
      return path("crds");
    },
  };
}

async function buildAll(missing: readonly Target[], cacheDir: string, output: Output): Promise<void> {
  await mkdir(cacheDir, { recursive: true });
  await sweep(cacheDir);

  const progress = new Progress(missing.length, output);
  progress.begin(
    `toolchain: ${missing.length} tools to build from source into ${cacheDir} (only once; 10 to 12 minutes for all tools on 2 cores)`,
  );
  const waiting = new Set(missing);
  const running = new Map<Target, Promise<void>>();
  const failures: Failure[] = [];
  try {
    while (waiting.size > 0 || running.size > 0) {
      const next = failures.some((failure) => failure.stops)
        ? undefined
        : pickNext([...waiting], [...running.keys()], BUDGET);
      if (next === undefined) {
        if (running.size === 0) break;
        await Promise.race(running.values());
        continue;
      }
      waiting.delete(next);
      progress.started(next.name);
      const job = buildOne(next, cacheDir, progress).then((failure) => {
        running.delete(next);
        progress.finished(next.name, failure === undefined);
        if (failure !== undefined) failures.push(failure);
      });
      running.set(next, job);
    }
  } finally {
    progress.end();
  }
  if (failures.length > 0) throw new ToolchainError(report(failures));
}

interface Failure {
  name: string;
  message: string;
  log: string;
  tail: string;
  stops: boolean;
}

async function buildOne(target: Target, cacheDir: string, progress: Progress): Promise<Failure | undefined> {
  const log = join(cacheDir, "logs", `${target.name}.log`);
  try {
    await rm(log, { force: true });
    await fill(target.folder, async (workspace) => {
      await buildTool({
        ...workspace,
        tool: target,
        moduleDir: target.moduleDir,
        log,
        onLine: (line) => {
          progress.line(target.name, line);
        },
      });
    });
    return undefined;
  } catch (error) {
    const text = await readFile(log, "utf8").catch(() => "");
    const problem = error instanceof Error ? error.message : String(error);
    const diagnosis =
      error instanceof ToolchainError ? { message: problem, stops: false } : diagnose(`${text}\n${problem}`);
    return {
      name: target.name,
      message: diagnosis?.message ?? "The build failed; see its log.",
      log,
      tail: lastLines(`${text}\n${text === "" ? problem : ""}`),
      stops: diagnosis?.stops ?? false,
    };
  }
}

/** Formats all failures as one message. Builds that failed for the same reason share a line. */
function report(failures: readonly Failure[]): string {
  const reasons = new Map<string, Failure[]>();
  for (const failure of failures)
    reasons.set(failure.message, [...(reasons.get(failure.message) ?? []), failure]);
  return [...reasons]
    .map(([message, group]) => {
      const logs = group.map((failure) => `  the log's end, ${failure.log}:\n${failure.tail}`);
      return [`${group.map((failure) => failure.name).join(", ")}: ${message}`, ...logs].join("\n");
    })
    .join("\n");
}
