import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TOOLS } from "./tools.ts";

const LOCAL = join(import.meta.dirname, "..");
/** What most tools need and takes longest to compile. */
const HEAVY = [
  "go.opentelemetry.io/otel",
  "golang.org/x/crypto",
  "golang.org/x/net",
  "golang.org/x/sys",
  "golang.org/x/text",
  "google.golang.org/grpc",
  "google.golang.org/protobuf",
  "k8s.io/api",
  "k8s.io/apimachinery",
  "k8s.io/client-go",
];
/** Built in a copy of its own source, with its own go.mod. */
const APART = ["grafana"];
/** The version of each module that a tool's go.mod names; one that is replaced has the replacement's. */
function versions(module: string): Map<string, string> {
  const text = readFileSync(join(LOCAL, module, "go.mod"), "utf8");
  const required = [...text.matchAll(/^\s*(?:require )?([a-z][\w./~-]+\.[\w./~-]+) (v\S+)/gm)];
  const replaced = [...text.matchAll(/^\s*(?:replace )?(\S+)(?: v\S+)? => \S+ (v\S+)/gm)];
  return new Map([...required, ...replaced].map(([, name = "", version = ""]) => [name, version]));
}

// Packages of one version are compiled once for all tools: with a version each, a cold build took half as long again.
test.each(HEAVY)("%s has one version in all tools that need it", (name) => {
  const found = new Map<string, string[]>();
  for (const tool of TOOLS) {
    const version = versions(tool.module).get(name);
    if (version !== undefined && !APART.includes(tool.name))
      found.set(version, [...(found.get(version) ?? []), tool.name]);
  }
  expect(
    [...found.keys()],
    `go get ${name}@VERSION where it is older: ${JSON.stringify([...found])}`,
  ).toHaveLength(1);
});

test("every module of ours is a tool's", () => {
  const folders = readdirSync(join(LOCAL, "toolchain/modules")).map((name) => `toolchain/modules/${name}`);
  expect(TOOLS.map(({ module }) => module)).toEqual(expect.arrayContaining(folders));
});
