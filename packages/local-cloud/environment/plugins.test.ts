import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { installAuthPlugin } from "../google/auth-plugin.ts";
import { pluginVersion } from "../plugin/version.ts";
import { installPlugins } from "./plugins.ts";

const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-plugins-"));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

test("installs the plugins in the versions that the npm packages require, and replaces existing ones", async () => {
  const binaries = { path: (name: string) => path.join(dir, name) };
  const home = path.join(dir, "home");
  await expect(installPlugins(home, binaries)).rejects.toThrow("pulumi-resource-kubernetes is missing");
  const built = ["kubernetes", "grafana"];
  for (const name of built) writeFileSync(binaries.path(`pulumi-resource-${name}`), "binary");
  const packages = {
    gcp: "@pulumi/gcp",
    grafana: "@pulumiverse/grafana",
    kubernetes: "@pulumi/kubernetes",
    random: "@pulumi/random",
  };
  const folders = Object.entries(packages).map(([name, npm]) => `resource-${name}-v${pluginVersion(npm)}`);
  const files = Object.fromEntries(
    Object.keys(packages).map((name, index) => [
      name,
      path.join(home, "plugins", folders[index] ?? "", `pulumi-resource-${name}`),
    ]),
  );
  // Creates the files of an older plugin and of an interrupted installation.
  for (const file of Object.values(files)) {
    mkdirSync(path.dirname(file), { recursive: true });
    for (const existing of [file, `${file}.new`]) writeFileSync(existing, "older", { mode: 0o755 });
  }
  await installPlugins(home, binaries);
  expect(readdirSync(path.join(home, "plugins")).sort()).toEqual(folders);
  expect(readdirSync(home, { recursive: true }).filter((name) => String(name).endsWith(".new"))).toEqual([]);
  for (const name of built) expect(readFileSync(files[name] ?? "", "utf8")).toBe("binary");
  // Starts each emulated plugin as the engine does, from the Pulumi home instead of the source tree.
  for (const name of ["gcp", "random"]) {
    const file = files[name] ?? "";
    expect(statSync(file).mode & 0o111).toBe(0o111);
    const plugin = execa(file, { cwd: dir, reject: false });
    const [port] = (await once(createInterface(plugin.stdout), "line")) as [string];
    expect(Number(port)).toBeGreaterThan(0);
    plugin.kill();
    await plugin;
  }
});

test("returns the same token from the auth plugin on each call", async () => {
  const cloud = { binDir: path.join(dir, "it's/bin"), accessTokenFile: path.join(dir, "it's/access-token") };
  const file = await installAuthPlugin(cloud);
  const token = readFileSync(cloud.accessTokenFile, "utf8");
  expect(statSync(cloud.accessTokenFile).mode & 0o777).toBe(0o600);
  await installAuthPlugin(cloud);
  expect(JSON.parse(execFileSync(file, { encoding: "utf8" }))).toMatchObject({
    kind: "ExecCredential",
    apiVersion: "client.authentication.k8s.io/v1beta1",
    status: { token },
  });
});
