import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/**
 * Bundles a TypeScript program and its packages into a directory of JavaScript modules. A bundle starts in a fifth of
 * the time of its sources, and the engine waits for each plugin to start. Dynamic imports become separate files.
 *
 * @param program absolute path of the program
 * @param folder directory, which is created if it doesn't exist; an existing bundle is replaced, and a process that
 * runs from it can continue
 * @returns the file to start
 * @throws BuildFailure for a program that can't be compiled
 */
export async function bundle(program: string, folder: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: { main: program },
    outdir: folder,
    write: false,
    bundle: true,
    // The names of all files except the main file contain hashes of their contents.
    splitting: true,
    chunkNames: "[name]-[hash]",
    platform: "node",
    format: "esm",
    target: "node20",
    outExtension: { ".js": ".mjs" },
    keepNames: true,
    // A shorter source text saves memory, because V8 keeps it while the program runs.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    // CommonJS packages need require() for Node's own modules. `ofBundle` is a name that no bundled module uses.
    banner: {
      js: 'import { createRequire as ofBundle } from "node:module"; const require = ofBundle(import.meta.url);',
    },
    plugins: [sourceUrls],
  });
  await mkdir(folder, { recursive: true });
  const main = path.join(folder, "main.mjs");
  // The main file is written last, when the files that it imports exist.
  const parts = outputFiles.filter((file) => file.path !== main);
  for (const file of [...parts, ...outputFiles.filter((file) => file.path === main)]) {
    await writeFile(`${file.path}.new`, file.contents);
    await rename(`${file.path}.new`, file.path);
  }
  return main;
}

/**
 * Replaces `import.meta.url` and `import.meta.dirname` by those of the source file: programs locate files relative to
 * their sources, and the bundle is in another directory.
 */
const sourceUrls: Plugin = {
  name: "source-urls",
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const contents = (await readFile(file, "utf8"))
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(file).href))
        .replaceAll("import.meta.dirname", JSON.stringify(path.dirname(file)));
      return { loader: "ts", contents };
    });
  },
};
