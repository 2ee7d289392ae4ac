import { cp, link, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installLanguageHost } from "../../language-host/install.ts";
import { typeScriptLoader } from "../../plugin/version.ts";
import { ensureToolchain } from "../../toolchain/build.ts";
import { freePort } from "../../../../lib/free-port.ts";

/**
 * Tests that a Pulumi program runs until the engine has deleted all resources. The deletion of Grafana's resources
 * needs the running program, because their provider connects through its tunnel. Uses the engine and the language host
 * of a local cloud, but not its hosts.
 */
const program = path.join(import.meta.dirname, "keeper");
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-keeper-"));
  const bin = path.join(dir, "bin");
  await mkdir(bin);
  const toolchain = await ensureToolchain({ only: ["pulumi", "pulumi-language-nodejs"] });
  const host = toolchain.path("pulumi-language-nodejs");
  for (const file of await readdir(path.dirname(host))) {
    await place(path.join(path.dirname(host), file), path.join(bin, file));
  }
  await place(host, path.join(bin, "pulumi-language-nodejs-host"));
  await place(toolchain.path("pulumi"), path.join(bin, "pulumi"));
  await installLanguageHost(bin);
  const plugin = path.join(dir, "plugins/resource-keeper-v1.0.0/pulumi-resource-keeper");
  await mkdir(path.dirname(plugin), { recursive: true });
  const start = `exec "${process.execPath}" --import "${typeScriptLoader}" "${program}/plugin.ts" "$@"`;
  await writeFile(plugin, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
  // Uses a copy of Pulumi.yaml, because the engine writes the new stack file next to it.
  await cp(path.join(program, "Pulumi.yaml"), path.join(dir, "Pulumi.yaml"));
  await pulumi(dir, "stack", "init", "keeper");
  await pulumi(program, "config", "set", "port", String(await freePort()));
});
afterAll(() => rm(dir, { recursive: true }));

async function place(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => cp(from, to));
}

async function pulumi(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await execa(path.join(dir, "bin/pulumi"), args, {
    cwd,
    env: {
      PATH: `${path.join(dir, "bin")}:${process.env["PATH"] ?? ""}`,
      PULUMI_HOME: dir,
      PULUMI_BACKEND_URL: `file://${dir}?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: "keeper",
      PULUMI_STACK: "keeper",
      PULUMI_OPTION_CONFIG_FILE: path.join(dir, "keeper.yaml"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    },
    stdin: "ignore",
  });
  return stdout;
}

async function up(keep: boolean): Promise<string> {
  await pulumi(program, "config", "set", "keep", String(keep));
  return pulumi(program, "up", "--yes", "--skip-preview");
}

it("runs until a resource that was removed from the program is deleted", async () => {
  expect(await up(true)).toContain("+ 2 created");
  expect(await up(false)).toContain("- 1 deleted");
});

it("runs until everything is destroyed", async () => {
  expect(await up(true)).toContain("+ 1 created");
  expect(await pulumi(program, "destroy", "--yes", "--skip-preview", "--run-program")).toContain(
    "- 2 deleted",
  );
});
