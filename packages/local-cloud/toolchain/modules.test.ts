import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { images } from "../project/images.ts";
import { ALL_TOOLS, TOOLS } from "./tools.ts";

const LOCAL = join(import.meta.dirname, "..");

/** Modules that most tools need and that take longest to compile. */
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

/** Returns the module versions in a tool's go.mod, with replacements applied. */
function versions(module: string): Map<string, string> {
  const text = readFileSync(join(LOCAL, module, "go.mod"), "utf8");
  const required = [...text.matchAll(/^\s*(?:require )?([a-z][\w./~-]+\.[\w./~-]+) (v\S+)/gm)];
  const replaced = [...text.matchAll(/^\s*(?:replace )?(\S+)(?: v\S+)? => \S+ (v\S+)/gm)];
  return new Map([...required, ...replaced].map(([, name = "", version = ""]) => [name, version]));
}

// Go compiles packages of the same version once for all tools. With different versions, a cold build of all
// tools took 50 % longer.
test.each(HEAVY)("all tools require the same version of %s", (name) => {
  const found = new Map<string, string[]>();
  for (const tool of TOOLS) {
    const version = versions(tool.module).get(name);
    if (version !== undefined) found.set(version, [...(found.get(version) ?? []), tool.name]);
  }
  expect(
    [...found.keys()],
    `go get ${name}@VERSION where it is older: ${JSON.stringify([...found])}`,
  ).toHaveLength(1);
});

// If a program's Go module had another version than its image in versions.ts, `npm start` and the tests would run
// another version than the image's name says.
test.each([
  ["operator", images.operator, "prometheus-operator", "github.com/prometheus-operator/prometheus-operator"],
  [
    "config reloader",
    images.configReloader,
    "prometheus-operator",
    "github.com/prometheus-operator/prometheus-operator",
  ],
  ["push gateway", images.pushGateway, "pushgateway", "github.com/prometheus/pushgateway"],
  ["Alertmanager", images.alertmanager, "alertmanager", "github.com/prometheus/alertmanager"],
  ["Prometheus", images.prometheus, "prometheus", "github.com/prometheus/prometheus"],
])("builds the version of %s that versions.ts names", (_, image, tool, module) => {
  const [, major = "", minor = "", patch = ""] = /:v(\d+)\.(\d+)\.(\d+)(@|$)/.exec(image) ?? [];
  // Prometheus 3.16.0 is v0.316.0 as a Go module.
  const asModule =
    tool === "prometheus" ? `v0.${major}${minor.padStart(2, "0")}.${patch}` : `v${major}.${minor}.${patch}`;
  expect(versions(`toolchain/modules/${tool}`).get(module)).toBe(asModule);
});

test("stamps Kubernetes and the engine with the versions of their modules", () => {
  const stamp = (name: string) => Object.values(TOOLS.find((tool) => tool.name === name)?.stamps ?? {});
  expect(stamp("kubernetes")).toContain(versions("toolchain/modules/kubernetes").get("k8s.io/kubernetes"));
  expect(stamp("pulumi")).toEqual([
    versions("toolchain/modules/pulumi").get("github.com/pulumi/pulumi/pkg/v3"),
  ]);
});

test("every Go module belongs to a tool", () => {
  const folders = readdirSync(join(LOCAL, "toolchain/modules")).map((name) => `toolchain/modules/${name}`);
  expect(ALL_TOOLS.map(({ module }) => module)).toEqual(expect.arrayContaining(folders));
});

test("no tool requires Grafana's own modules, which are under the AGPL", () => {
  const files = ALL_TOOLS.flatMap(({ module }) =>
    ["go.mod", "go.sum"].map((file) => join(LOCAL, module, file)),
  );
  for (const file of files.filter((file) => existsSync(file))) {
    expect(readFileSync(file, "utf8"), file).not.toMatch(/github\.com\/grafana\/grafana[/ ]/);
  }
});

// Go verifies the provider against this checksum before the toolchain copies and prunes it.
test("go.sum has the checksum of the pruned provider's original", () => {
  const module = "toolchain/modules/pulumi-resource-grafana";
  const name = "github.com/grafana/terraform-provider-grafana/v4";
  const sums = readFileSync(join(LOCAL, module, "go.sum"), "utf8");
  expect(sums).toContain(`${name} ${versions(module).get(name)} h1:`);
});
