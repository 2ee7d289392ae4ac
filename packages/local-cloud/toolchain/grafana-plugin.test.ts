import { mkdtemp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { remove, removeFunctions, removeUnusedImports } from "./go-source.ts";
import { pruneGrafanaPlugin, requireOnly } from "./grafana-plugin.ts";

const SOURCE = `package provider

import (
	"fmt"

	"github.com/hashicorp/go-retryablehttp"
	k8s "example.com/some/client"
)

// Kept stays.
func Kept() string {
	return fmt.Sprint("{}")
}

// createClient is removed, with its comment.
func createClient(c *Client) (*k8s.Client, error) {
	if c == nil {
		return nil, retryablehttp.Err
	}

	return nil, nil
}

func (p *server) Schema() {
	p.x = 1
}

func createClients() {
}
`;

test("removes functions and methods by name, and no others", () => {
  const left = removeFunctions(SOURCE, ["createClient", "server.Schema"]);
  expect(left).toContain("// Kept stays.\nfunc Kept() string {");
  expect(left).toContain("func createClients() {\n}\n");
  expect(left).not.toMatch(/with its comment|func createClient\(|Schema|retryablehttp\.Err/);
});

test("removes unused imports", () => {
  const left = removeUnusedImports(removeFunctions(SOURCE, ["createClient"]));
  expect(left).toContain('"fmt"');
  expect(left).not.toMatch(/retryablehttp|k8s/);
  expect(removeUnusedImports(SOURCE)).toBe(SOURCE);
});

test("reports a part to remove that the source doesn't have", () => {
  expect(() => removeFunctions(SOURCE, ["createOther"])).toThrow("createOther not found");
  expect(() => remove(SOURCE, /other/, "other")).toThrow("other not found");
});

test("keeps only the requirements of modules whose packages are imported", () => {
  const goMod = `module m

go 1.25

require (
	github.com/a/b v1.0.0
	github.com/a/bc v1.0.0
	github.com/a/d/v2 v2.0.0 // indirect
)

require github.com/e/f v0.1.0
`;
  const left = requireOnly(goMod, new Set(["fmt", "github.com/a/b/client", "github.com/a/d/v2"]));
  expect(left).toContain("github.com/a/b v1.0.0");
  expect(left).toContain("github.com/a/d/v2 v2.0.0");
  expect(left).not.toMatch(/a\/bc|e\/f/);
  expect(left).toContain("go 1.25");
});

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "grafana-plugin-test-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

test("removes unknown files and names the file when the provider's source has changed", async () => {
  await writeFile(path.join(dir, "go.mod"), "module m\n");
  await writeFile(path.join(dir, "main.go"), "package main\n");
  for (const folder of ["pkg/provider", "internal/resources/k6"]) {
    await mkdir(path.join(dir, folder), { recursive: true });
  }
  await writeFile(path.join(dir, "internal/resources/k6/k6.go"), "package k6\n");
  await pruneGrafanaPlugin(dir);
  expect(await readdir(dir)).toEqual(["go.mod", "internal", "pkg"]);
  expect(await readdir(path.join(dir, "internal/resources/k6"))).toEqual([]);

  const client = path.join(dir, "pkg/provider/configure_clients.go");
  await writeFile(client, "package provider\n");
  await expect(pruneGrafanaPlugin(dir)).rejects.toThrow(/configure_clients\.go.*update grafana-plugin\.ts/);
  expect(await readFile(client, "utf8")).toBe("package provider\n");
});
