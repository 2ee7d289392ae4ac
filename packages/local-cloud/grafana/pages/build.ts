import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { BuildOptions, Plugin } from "esbuild";
import { execa } from "execa";
import { NOT_BUNDLED } from "../../toolchain/licences/policy.ts";
import { fill, sweep } from "../../toolchain/cache.ts";

/**
 * Version of the build. Increment it when a change of this file changes the built pages. Changes of the sources and the
 * lock file need no increment, because these files are hashed.
 */
const FORMAT = 2;

const SOURCES = import.meta.dirname;

/** Files that decide which packages are installed. */
const PACKAGE_FILES = ["package.json", "package-lock.json", ".npmrc"];

/** Source files of the pages. */
const SOURCE_FILES = ["icons", "index.html", "src"];

/** Directories of the built pages and of their npm packages. */
export interface Pages {
  /** Static root of the stand-in's server: a directory with `build/index.html` and its files. */
  dir: string;
  /** Directory with the npm packages of the pages in `node_modules`. */
  project: string;
}

/**
 * Builds the pages of the Grafana stand-in unless the cache has them. Installing their packages with `npm ci` takes
 * about a minute and 450 MB. The packages are cached too, so that changed sources build in seconds.
 *
 * @param cacheDir the toolchain's cache folder
 * @param report called with one line before each step
 * @throws Error with npm's or esbuild's own message
 */
export async function ensurePages(
  cacheDir: string,
  report: (line: string) => void = () => {},
): Promise<Pages> {
  const root = path.join(cacheDir, "pages");
  await mkdir(root, { recursive: true });
  await sweep(root);
  const packages = path.join(root, `packages-${await hashOf(PACKAGE_FILES)}`);
  await fill(packages, async ({ out }) => {
    report("installing the packages of the stand-in for Grafana's pages (npm ci)");
    for (const name of PACKAGE_FILES) await cp(path.join(SOURCES, name), path.join(out, name));
    await execa("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: out,
    });
  });
  const dir = path.join(root, `built-${await hashOf([...PACKAGE_FILES, ...SOURCE_FILES])}`);
  await fill(dir, async ({ out }) => {
    report("building the stand-in for Grafana's pages");
    await bundle(packages, path.join(out, "build"));
  });
  return { dir, project: packages };
}

/** Returns 16 hex digits of a hash of files and directories: names and contents. */
async function hashOf(names: string[]): Promise<string> {
  const hash = createHash("sha256").update(`${FORMAT}\n`);
  for (const name of names) {
    for (const file of await filesBelow(path.join(SOURCES, name))) {
      const content = await readFile(file);
      hash.update(`${path.relative(SOURCES, file)} ${content.length}\n`).update(content);
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesBelow(name: string): Promise<string[]> {
  const entries = await readdir(name, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [name];
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

async function bundle(packages: string, out: string): Promise<void> {
  const { build } = await import("esbuild");
  const { metafile } = await build(options(packages, out));
  refuseUnlicensed(Object.keys(metafile?.inputs ?? {}));
  const [script, style] = [".js", ".css"].map((extension) =>
    Object.keys(metafile?.outputs ?? {})
      .map((name) => path.basename(name))
      .find((name) => name.endsWith(extension)),
  );
  const page = await readFile(path.join(SOURCES, "index.html"), "utf8");
  await writeFile(
    path.join(out, "index.html"),
    page.replace("app.js", script ?? "").replace("app.css", style ?? ""),
  );
  const icons = path.join(out, "img/icons");
  await cp(path.join(packages, "node_modules/@grafana/ui/dist/public/img/icons"), icons, { recursive: true });
  // The package @grafana/ui lacks some of the icons that its components use.
  await cp(path.join(SOURCES, "icons"), icons, { recursive: true });
}

/** Checks that the bundled files contain no package without a licence. @throws Error that names the package */
export function refuseUnlicensed(inputs: readonly string[]): void {
  const found = NOT_BUNDLED.find((name) => inputs.some((input) => input.includes(`node_modules/${name}/`)));
  if (found === undefined) return;
  throw new Error(
    `The pages contain ${found}, which has no licence: leave it out (packages/local-cloud/grafana/pages/build.ts)`,
  );
}

function options(packages: string, out: string): BuildOptions {
  const router = path.join(packages, "node_modules/react-router-dom");
  return {
    absWorkingDir: SOURCES,
    nodePaths: [path.join(packages, "node_modules")],
    entryPoints: { app: "src/main.tsx" },
    // Browsers cache these files for a year, so a file with other content needs another name.
    entryNames: "[name]-[hash]",
    outdir: out,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2023",
    jsx: "automatic",
    metafile: true,
    logLevel: "silent",
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    loader: { ".svg": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl" },
    alias: {
      // Grafana's libraries import version 5 of React Router as `react-router-dom`, and version 6 by another name.
      // These pages use version 6 for both.
      "react-router-dom": router,
      "react-router-dom-v5-compat": router,
      "get-window": path.join(SOURCES, "src/get-window.ts"),
      "@grafana/plugin-compat/datasources": path.join(SOURCES, "src/compat.ts"),
    },
    plugins: [withoutEditors],
  };
}

/** Excludes code editors and maps (6 MB), which are loaded on demand and never used by these pages. */
const withoutEditors: Plugin = {
  name: "without-editors",
  setup(build) {
    const unused = /^(monaco-editor|@monaco-editor\/react|@codemirror\/.*|@uiw\/.*|@lezer\/.*|ol)(\/|$)/;
    build.onResolve({ filter: unused }, ({ path: name }) => ({ path: name, namespace: "unused" }));
    build.onLoad({ filter: /.*/, namespace: "unused" }, () => ({ contents: "module.exports = {};" }));
  },
};
