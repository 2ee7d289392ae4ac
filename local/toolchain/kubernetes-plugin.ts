import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";

/** One kind in the SDK's table: its group and version, its name, and the token that it is registered under. */
const KNOWN_KIND =
  /^\tcase "([^"]+)\/([A-Za-z]+)":\n\t\tvar res \w+\.\w+\n\t\terr := ctx\.RegisterResource\("([^"]+)", name, props, &res, opts\.\.\.\)\n\t\tif err != nil \{\n\t\t\treturn nil, err\n\t\t\}\n\t\treturn &res, nil\n/gm;
/** The case for all other kinds. */
const ANY_KIND = 'fmt.Sprintf("kubernetes:%s:%s", apiVersion, kind)';
/** Imports of the SDK's packages, one an API group and version. */
const TYPES_OF_GROUPS =
  /^\t\w+ "github\.com\/pulumi\/pulumi-kubernetes\/sdk\/v4\/go\/kubernetes\/[a-z]+\/v[0-9a-z]+"\n/gm;

/**
 * The SDK's table of kinds, with which the provider registers what is in YAML files, without a Go type for
 * each kind. The types hold what comes back, which the provider passes on as it is; compiling the 64 packages
 * that they are in takes a third of the time of all builds together. The one thing that the table says
 * and the case for all other kinds doesn't is that the core group is called "core"; so that is put in there.
 *
 * @param source - the SDK's go/kubernetes/yaml/v2/kinds.go
 * @throws ToolchainError when the table says something else of a kind: then it may not be left out
 */
export function withoutTypes(source: string): string {
  const kinds = [...source.matchAll(KNOWN_KIND)];
  const odd = kinds.find(
    ([, group = "", kind, token]) => token !== `kubernetes:${tokenGroup(group)}:${kind}`,
  );
  const left = source.replace(KNOWN_KIND, "").replace(TYPES_OF_GROUPS, "");
  if (kinds.length === 0 || odd !== undefined || !left.includes(ANY_KIND) || left.includes("v1.")) {
    const where = odd?.[3] ?? "its form";
    throw new ToolchainError(
      `The Kubernetes provider's SDK has changed (${where}): look at kubernetes-plugin.ts.`,
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

/** Does {@link withoutTypes} to a copy of the SDK. */
export async function leaveOutTypes(sdk: string): Promise<void> {
  const file = path.join(sdk, "go/kubernetes/yaml/v2/kinds.go");
  await writeFile(file, withoutTypes(await readFile(file, "utf8")));
}
