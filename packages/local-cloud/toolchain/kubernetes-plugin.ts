import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";

/** One case in the SDK's switch over kinds: API version, kind and resource token. */
const KNOWN_KIND =
  /^\tcase "([^"]+)\/([A-Za-z]+)":\n\t\tvar res \w+\.\w+\n\t\terr := ctx\.RegisterResource\("([^"]+)", name, props, &res, opts\.\.\.\)\n\t\tif err != nil \{\n\t\t\treturn nil, err\n\t\t\}\n\t\treturn &res, nil\n/gm;
/**
 * Go expression in the default case of the SDK's switch over kinds. It builds the resource token from the API version
 * and kind.
 */
const ANY_KIND = 'fmt.Sprintf("kubernetes:%s:%s", apiVersion, kind)';
/** Imports of the SDK's packages, one per API version. */
const TYPES_OF_GROUPS =
  /^\t\w+ "github\.com\/pulumi\/pulumi-kubernetes\/sdk\/v4\/go\/kubernetes\/[a-z]+\/v[0-9a-z]+"\n/gm;

/**
 * Shortens the Go file with which the Kubernetes provider registers the resources of YAML files: removes all cases but
 * the default from the switch over kinds. The other cases only choose the Go type of the result. The provider doesn't
 * need these types, but compiling their 64 packages takes a third of the time of all builds together. The default case
 * builds the resource token from the API version. This is wrong only for the core group, whose API version is "v1" but
 * whose tokens contain "core/v1", so this function adds that exception.
 *
 * @param source the SDK's go/kubernetes/yaml/v2/kinds.go
 * @throws ToolchainError when the SDK's source has changed, e.g. when the default case would build a wrong token for a
 * kind
 */
export function removeTypes(source: string): string {
  const kinds = [...source.matchAll(KNOWN_KIND)];
  const odd = kinds.find(
    ([, group = "", kind, token]) => token !== `kubernetes:${tokenGroup(group)}:${kind}`,
  );
  const left = source.replace(KNOWN_KIND, "").replace(TYPES_OF_GROUPS, "");
  if (kinds.length === 0 || odd !== undefined || !left.includes(ANY_KIND) || left.includes("v1.")) {
    const where = odd?.[3] ?? "its form";
    throw new ToolchainError(
      `The Kubernetes provider's SDK has changed (${where}): update kubernetes-plugin.ts.`,
    );
  }
  return left.replace(
    ANY_KIND,
    `fmt.Sprintf("kubernetes:%s:%s", map[bool]string{true: "core/v1", false: apiVersion}[apiVersion == "v1"], kind)`,
  );
}

function tokenGroup(group: string): string {
  return group === "v1" ? "core/v1" : group;
}

/** Applies {@link removeTypes} to a copy of the SDK. */
export async function pruneKubernetesSdk(sdk: string): Promise<void> {
  const file = path.join(sdk, "go/kubernetes/yaml/v2/kinds.go");
  await writeFile(file, removeTypes(await readFile(file, "utf8")));
}
