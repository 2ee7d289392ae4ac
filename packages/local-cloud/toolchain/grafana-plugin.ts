import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";
import { remove, removeFunctions, removeUnusedImports } from "./go-source.ts";

/**
 * Resources that this project uses. The key is the Go function that returns the resource's schema, the value is the
 * source file that defines it.
 */
const RESOURCES: Readonly<Record<string, string>> = {
  resourceDataSource: "resource_data_source.go",
  resourceFolder: "resource_folder.go",
  resourceDashboard: "resource_dashboard.go",
};

/** Functions that create clients for other APIs than Grafana's HTTP API. */
const OTHER_CLIENTS = [
  ...["GrafanaAppPlatform", "ML", "SLO", "Cloud", "OnCall", "CloudProvider", "FrontendO11y"],
  ...["Connections", "K6", "FleetManagement", "Asserts"],
]
  .map((api) => `create${api}Client`)
  .concat("createAssertsClientIfConfigured", "getRetryClient");

/**
 * Regular expressions of code to remove from the provider's Go function `CreateClients`: the calls of {@link
 * OTHER_CLIENTS}. Each has a description for error messages.
 */
const APP_PLATFORM = [
  /^\t\tif err = createGrafanaAppPlatformClient[^]*?(?=^\t\}\n)/m,
  "call of createGrafanaAppPlatformClient",
] as const;
const CLOUD = [
  /^\tif !providerConfig\.CloudAccessPolicyToken[^]*?(?=^\tgrafana\.StoreDashboardSHA256)/m,
  "calls for Grafana Cloud",
] as const;

/**
 * Methods of `frameworkProvider` to remove. Grafana's provider has two parts: this one, which uses Terraform's plugin
 * framework, and one that uses the older plugin SDK. Only the latter is served.
 */
const FRAMEWORK = ["Metadata", "Schema", "Configure", "DataSources", "Resources", "Functions"];

/** Changes the source of one file. */
type Change = (source: string) => string;

/** Files to keep, by directory, with their changes. */
const KEPT_FILES: Readonly<Record<string, Readonly<Record<string, Change>>>> = {
  "pkg/provider": {
    "legacy_provider.go": unchanged,
    "framework_provider.go": (source) =>
      removeFunctions(remove(source, /^type frameworkProvider struct \{[^}]*\}\n/m, "frameworkProvider"), [
        ...FRAMEWORK.map((method) => `frameworkProvider.${method}`),
        "FrameworkProvider",
      ]),
    "resources.go": (source) =>
      removeFunctions(source, [
        "AppPlatformResources",
        "pluginFrameworkDataSources",
        "pluginFrameworkResources",
      ]).replace(/^\tresources = append\(resources, (?!grafana\.)\w+\.\w+\.\.\.\)\n/gm, ""),
    "configure_clients.go": (source) =>
      removeFunctions(remove(remove(source, ...APP_PLATFORM), ...CLOUD), OTHER_CLIENTS),
  },
  "internal/common": {
    "client.go": (source) =>
      remove(source, /^\tGrafanaAppPlatformAPI +\*.*\n/m, "GrafanaAppPlatformAPI").replace(
        /^\t\w+ +\*(?!goapi\.)(gcom|SMAPI|mlapi|onCallAPI|slo|\w+api|k6)\.\w+\n/gm,
        "",
      ),
    ...Object.fromEntries(
      ["adapters", "errcheck", "json", "regex", "resource", "resource_id", "schema", "types"].map((file) => [
        `${file}.go`,
        unchanged,
      ]),
    ),
  },
  "internal/resources/grafana": {
    "resources.go": (source) =>
      source.replace(/^\t(\w+)\(\),\n/gm, (line, name: string) => (name in RESOURCES ? line : "")),
    "common_lister.go": unchanged,
    "oss_org_id.go": unchanged,
    ...Object.fromEntries(Object.values(RESOURCES).map((file) => [file, unchanged])),
  },
};

function unchanged(source: string): string {
  return source;
}

/**
 * Removes all resources but {@link RESOURCES} from Grafana's Terraform provider. The others take most of the time to
 * compile, and those of Grafana's app platform need Grafana's own modules, which are under the AGPL.
 *
 * @param module writable copy of the Go module github.com/grafana/terraform-provider-grafana/v4
 * @throws ToolchainError when a part to remove is not found
 */
export async function pruneGrafanaPlugin(module: string): Promise<void> {
  for (const name of await readdir(module)) {
    if (!["go.mod", "LICENSE", "pkg", "internal"].includes(name))
      await rm(path.join(module, name), { recursive: true });
  }
  const imports = new Set<string>();
  for (const folder of ["pkg", "internal"]) {
    for (const entry of await readdir(path.join(module, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const source = await prune(module, path.join(entry.parentPath, entry.name));
      for (const [, name = ""] of source.matchAll(/^\t(?:\w+ )?"([^"\s]+)"$/gm)) imports.add(name);
    }
  }
  const goMod = path.join(module, "go.mod");
  await writeFile(goMod, requireOnly(await readFile(goMod, "utf8"), imports));
}

/**
 * Removes the modules that contain no package in `imports` from a go.mod, so that the build needs neither their code
 * nor their go.mod. Modules that are needed indirectly are not lost: the go.mod of the main module
 * (modules/pulumi-resource-grafana) lists them all.
 */
export function requireOnly(goMod: string, imports: ReadonlySet<string>): string {
  return goMod.replace(/^(?:require )?\s*(\S+) v\S+(?: \/\/ indirect)?\n/gm, (line, module: string) =>
    [...imports].some((name) => `${name}/`.startsWith(`${module}/`)) ? line : "",
  );
}

/** Prunes a file, or removes it if the plugin doesn't need it. @returns the file's new content, "" if it was removed */
async function prune(module: string, file: string): Promise<string> {
  const change = KEPT_FILES[path.relative(module, path.dirname(file))]?.[path.basename(file)];
  if (change === undefined) {
    await rm(file);
    return "";
  }
  try {
    const left = removeUnusedImports(change(await readFile(file, "utf8")));
    await writeFile(file, left);
    return left;
  } catch (error) {
    throw new ToolchainError(
      `Grafana's Terraform provider has changed (${path.basename(file)}: ${String(error)}): update grafana-plugin.ts.`,
    );
  }
}
