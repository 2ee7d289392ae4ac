import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureToolchain } from "../../toolchain/build.ts";
import { projectDir } from "../../project/directory.ts";

/** The project's Go programs that have tests. */
const PROGRAMS = ["history", "sample-run", "toolchain/licences"];

test.each(PROGRAMS)("the Go tests of packages/local-cloud/%s pass", async (program) => {
  const cwd = path.join(projectDir, "packages/local-cloud", program);
  const env = { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" };
  // With the toolchain's flags, Go reuses its compiled packages from the build cache.
  await execa("go", ["test", "-trimpath", "-buildvcs=false", "-gcflags=all=-dwarf=false", "./..."], {
    cwd,
    env,
  });
});

const AGPL = `This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero
General Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied
warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU Affero General Public License for more
details.
`;

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-go-test-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Writes a program that links a module with this licence file. @returns the program's directory */
async function plant(licence: string): Promise<string> {
  const files = {
    "module/go.mod": "module example.com/planted\n\ngo 1.26.0\n",
    "module/planted.go": 'package planted\n\nconst Word = "word"\n',
    "module/LICENSE": licence,
    "program/go.mod":
      "module k8sfv.local/program\n\ngo 1.26.0\n\nrequire example.com/planted v1.0.0\n\nreplace example.com/planted => ../module\n",
    "program/main.go":
      'package main\n\nimport "example.com/planted"\n\nfunc main() {\n\tprintln(planted.Word)\n}\n',
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return path.join(dir, "program");
}

async function buildPlanted(module: string): Promise<string> {
  const tool = {
    name: "planted",
    module: path.relative(path.join(projectDir, "packages/local-cloud"), module),
    binaries: { planted: "." },
    memory: 1,
    seconds: 1,
  };
  const output = { write: () => true };
  const toolchain = await ensureToolchain({ tools: [tool], cacheDir: path.join(dir, "cache"), output });
  return toolchain.path("planted");
}

test("the toolchain rejects a program that links a module under the AGPL, and names the module", async () => {
  const built = buildPlanted(await plant(AGPL));
  await expect(built).rejects.toThrow(/Go module example\.com\/planted@v1\.0\.0: AGPL-3\.0-or-later/);
});

test("the toolchain builds the same program if the module is under the Apache License", async () => {
  const built = await buildPlanted(await plant("https://www.apache.org/licenses/LICENSE-2.0\n"));
  expect((await execa(built)).stderr).toBe("word");
});
