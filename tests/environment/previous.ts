import { createHash } from "node:crypto";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, stringify } from "yaml";
import { CRD_FILES } from "../../components/operator-crds.ts";
import { type PrometheusImages, type Recipe, prometheusRecipes } from "k8sfv-local-cloud/images";
import { TOOLS, type Tool, ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { images } from "../../versions.ts";
import { root } from "../pages.ts";

/**
 * Versions of the programs that `previous/` pins: older minor versions than those in versions.ts. Prometheus 3.15.1 is
 * v0.315.1 as a Go module.
 */
const VERSIONS: Readonly<Record<string, string>> = { prometheus: "3.15.1", pushgateway: "1.9.0" };

/** Operator version in the annotation of the older CRDs. */
export const OLDER_DEFINITIONS = "0.84.1";

const older = (image: string, tool: string): string => image.replace(/:.*$/, `:v${VERSIONS[tool]}`);

/** Tools without an older version, because it is not available as a Go module or not pinned in `previous/`. */
const UNCHANGED = ["prometheus-operator", "alertmanager"];

/** Images before the upgrade. For the tools in {@link UNCHANGED}, they differ from the current images only in name. */
export const previousImages: PrometheusImages = {
  operator: `${images.operator}-before`,
  configReloader: `${images.configReloader}-before`,
  prometheus: older(images.prometheus, "prometheus"),
  alertmanager: `${images.alertmanager}-before`,
  pushGateway: older(images.pushGateway, "pushgateway"),
};

/** Returns the recipes of the older images, and builds their programs if necessary. */
export async function buildPrevious(): Promise<Recipe[]> {
  const toolchain = await ensureToolchain({ tools: TOOLS.flatMap(previousTool) });
  return prometheusRecipes(toolchain, previousImages);
}

function previousTool(tool: Tool): Tool[] {
  if (UNCHANGED.includes(tool.name)) return [tool];
  const version = VERSIONS[tool.name];
  if (version === undefined) return [];
  const stamps = Object.fromEntries(Object.keys(tool.stamps ?? {}).map((stamp) => [stamp, version]));
  const module = `../../tests/environment/previous/${tool.name}`;
  // Builds Prometheus without its web UI, whose build needs additional packages.
  const tags = tool.tags?.replace(",builtinassets", "");
  return [{ ...tool, name: `previous-${tool.name}`, module, stamps, tags, recipe: undefined }];
}

/** Files of the program. */
const PROGRAM = [
  ...[
    "Pulumi.yaml",
    "package.json",
    "tsconfig.json",
    "index.ts",
    "loader.mjs",
    "strip-types.mjs",
    "stack-traces.ts",
    "config.ts",
    "versions.ts",
  ],
  ...["components", "config", "lib", "monitoring-mixin"],
];

/** Copies the program into a new directory, so that a test can change it. */
export async function copyProgram(folder: string): Promise<void> {
  await mkdir(folder);
  for (const part of PROGRAM) {
    await cp(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  await symlink(path.join(root, "node_modules"), path.join(folder, "node_modules"));
}

/**
 * Writes today's program with older images and CRD checksums. This equals the program before an upgrade of the images,
 * because such an upgrade changes nothing else.
 *
 * @param folder - directory to create
 * @param crds - directory of the older CRDs
 */
export async function layOutProgram(folder: string, crds: string): Promise<void> {
  await copyProgram(folder);
  const names = Object.entries(previousImages).map(([name, image]) => [
    images[name as keyof PrometheusImages],
    image,
  ]);
  await replaceIn(path.join(folder, "versions.ts"), names);
  const sums = Object.entries(CRD_FILES).map(async ([file, sum]) => {
    const content = await readFile(path.join(crds, file));
    return [sum, createHash("sha256").update(content).digest("hex")];
  });
  await replaceIn(path.join(folder, "components/operator-crds.ts"), await Promise.all(sums));
}

async function replaceIn(file: string, pairs: string[][]): Promise<void> {
  let text = await readFile(file, "utf8");
  for (const [now = "", then = ""] of pairs) {
    if (!text.includes(now)) throw new Error(`${file} has no ${now}`);
    text = text.replace(now, then);
  }
  await writeFile(file, text);
}

/** Fields of a CRD that the tests read or change. */
export interface Definition {
  metadata: { annotations: Record<string, string> };
  spec: {
    versions: {
      schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } };
    }[];
  };
}

/**
 * Writes older CRDs: today's CRDs with an older version in their annotation and without a newer field of Prometheus
 * (`hostUsers`, prometheus-operator#7768).
 */
export async function writeOlderDefinitions(today: string, folder: string): Promise<void> {
  await mkdir(folder);
  for (const file of Object.keys(CRD_FILES)) {
    const definition = parse(await readFile(path.join(today, file), "utf8")) as Definition;
    definition.metadata.annotations["operator.prometheus.io/version"] = OLDER_DEFINITIONS;
    for (const { schema } of definition.spec.versions) {
      delete schema.openAPIV3Schema.properties.spec.properties["hostUsers"];
    }
    await writeFile(path.join(folder, file), stringify(definition));
  }
}
