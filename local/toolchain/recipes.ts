import { chmod, copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Build, go, layOut, moduleFolder } from "./layout.ts";
import { linkedLicences, refuseLicences } from "./linked-licences.ts";

/**
 * Builds a tool's binaries and copies into `build.out`.
 *
 * @throws ToolchainError that names each Go module under a licence that isn't allowed
 */
export async function buildTool(build: Build): Promise<void> {
  const cwd = await layOut(build);
  if (Object.keys(build.tool.binaries).length > 0) {
    await compile(build, cwd);
    refuseLicences(build.tool.name, await linkedLicences(build, cwd));
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

async function compile(build: Build, cwd: string): Promise<void> {
  const { tool, out } = build;
  if (Object.keys(tool.binaries).length === 0) return;
  const stamps = Object.entries(tool.stamps ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const ldflags = ["-s -w", ...stamps].join(" ");
  const flags = [
    "-trimpath",
    "-buildvcs=false",
    // Names packages as they are compiled: a person sees that downloading is over, and the log says how far it was.
    "-v",
    // The linker leaves debugging data out (-s -w): not making any takes 6 % off the compiler's work.
    "-gcflags=all=-dwarf=false",
    "-ldflags",
    ldflags,
    ...(tool.tags === undefined ? [] : ["-tags", tool.tags]),
  ];
  const binaries = Object.entries(tool.binaries);
  const [only] = binaries;
  // A folder as output names each binary as its package; only a single one can be named otherwise.
  const target = binaries.length === 1 && only !== undefined ? join(out, only[0]) : `${out}/`;
  await go(build, cwd, ["build", ...flags, "-o", target, ...binaries.map(([, path]) => path)]);
}
