import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addPrometheusPages } from "./prometheus-pages.ts";

const PAGES = path.join(import.meta.dirname, "modules/prometheus/pages");

let module = "";
let ui = "";
beforeEach(async () => {
  module = await mkdtemp(path.join(tmpdir(), "prometheus-pages-test-"));
  ui = path.join(module, "web/ui");
  await mkdir(path.join(ui, "mantine-ui"), { recursive: true });
  await mkdir(path.join(ui, "module/lezer-promql/src"), { recursive: true });
  const names = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "mantine-ui/package.json"];
  for (const name of names) await writeFile(path.join(ui, name), "theirs");
  await writeFile(path.join(ui, "embed.go.tmpl"), "package ui\n\n");
});
afterEach(async () => {
  await rm(module, { recursive: true });
});

/**
 * Creates the output files of a build command without running it. Each build of the toolchain runs the real commands.
 */
async function pretend(cwd: string, command: string): Promise<void> {
  const parser = path.join(cwd, "module/lezer-promql/src/parser");
  if (command.endsWith("lezer-generator")) {
    await writeFile(`${parser}.js`, "parser\n");
    await writeFile(`${parser}.terms.js`, "terms\n");
  }
  if (command.endsWith("vite")) {
    await mkdir(path.join(cwd, "static/mantine-ui/assets"), { recursive: true });
    await writeFile(path.join(cwd, "static/mantine-ui/index.html"), "<html>");
    await writeFile(path.join(cwd, "static/mantine-ui/assets/index.js"), "script");
  }
}

test("embeds the compressed pages with Prometheus's template", async () => {
  const commands: string[] = [];
  await addPrometheusPages(module, PAGES, async (cwd, command, args) => {
    commands.push(`${path.basename(command)} ${args[0] ?? ""}`);
    await pretend(cwd, command);
  });
  expect(commands).toEqual([
    "npm ci",
    "lezer-generator module/lezer-promql/src/promql.grammar",
    "vite build",
  ]);
  expect(await readFile(path.join(ui, "module/lezer-promql/src/parser.js"), "utf8")).toBe("parser\nterms\n");
  expect(await readFile(path.join(ui, "embed.go"), "utf8")).toBe(
    "package ui\n\n//go:embed static/mantine-ui/assets/index.js.gz static/mantine-ui/index.html.gz\n" +
      "var EmbedFS embed.FS\n",
  );
  expect(await readdir(path.join(ui, "static/mantine-ui"))).toEqual(["assets", "index.html.gz"]);
  const page = await readFile(path.join(ui, "static/mantine-ui/index.html.gz"));
  expect(gunzipSync(page).toString()).toBe("<html>");
  expect(await readFile(path.join(ui, "package.json"), "utf8")).toContain("k8sfv-prometheus-pages");
});

test("reports the bundler's error", async () => {
  const run = (_: string, command: string) =>
    command.endsWith("vite") ? Promise.reject(new Error("vite fails")) : pretend(ui, command);
  await expect(addPrometheusPages(module, PAGES, run)).rejects.toThrow("vite fails");
});
