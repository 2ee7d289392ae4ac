import { appendFile, copyFile, cp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/**
 * Files of this project that replace Prometheus's own in the build of its web pages, because Prometheus's lock file
 * contains versions that not every registry serves.
 */
const FILES = ["package.json", "package-lock.json", "vite.config.mjs"];

/** Runs a command in a directory. */
export type Run = (cwd: string, command: string, args: string[]) => Promise<unknown>;

/**
 * Builds Prometheus's web pages from the sources in its Go module, and writes them where the build tag
 * `builtinassets` embeds them. Follows web/ui/build_ui.sh and scripts/compress_assets.sh, without type
 * checks.
 *
 * @param module writable copy of the Go module github.com/prometheus/prometheus
 * @param pages directory that contains this project's npm and bundler files ({@link FILES})
 * @throws Error with the output of npm or the bundler
 */
export async function addPrometheusPages(module: string, pages: string, run: Run): Promise<void> {
  const ui = path.join(module, "web/ui");
  for (const name of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "mantine-ui/package.json"]) {
    await rm(path.join(ui, name));
  }
  for (const name of FILES) await copyFile(path.join(pages, name), path.join(ui, name));
  await run(ui, "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
  const bin = path.join(ui, "node_modules/.bin");
  const parser = "module/lezer-promql/src/parser";
  await run(ui, path.join(bin, "lezer-generator"), ["module/lezer-promql/src/promql.grammar", "-o", parser]);
  await appendFile(path.join(ui, `${parser}.js`), await readFile(path.join(ui, `${parser}.terms.js`)));
  await run(ui, path.join(bin, "vite"), [
    ...["build", "--config", "vite.config.mjs", "--logLevel", "error"],
    ...["--outDir", "../static/mantine-ui", "mantine-ui"],
  ]);
  await embed(ui);
}

/** Compresses the built files and generates the Go file that embeds them. */
async function embed(ui: string): Promise<void> {
  const entries = await readdir(path.join(ui, "static"), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name));
  for (const file of files) {
    await writeFile(`${file}.gz`, await promisify(gzip)(await readFile(file), { level: 9 }));
    await rm(file);
  }
  const embedded = files.map((file) => `${path.relative(ui, file)}.gz`).sort();
  await cp(path.join(ui, "embed.go.tmpl"), path.join(ui, "embed.go"));
  await appendFile(path.join(ui, "embed.go"), `//go:embed ${embedded.join(" ")}\nvar EmbedFS embed.FS\n`);
}
