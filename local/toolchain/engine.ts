import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";
import { remove, withoutFunctions, withoutUnusedImports } from "./go-source.ts";

/** `pulumi logs` of resources at AWS and Google, and Google's credentials for states and secrets there. */
const WITHOUT = ["operations/operations_aws.go", "operations/operations_gcp.go", "authhelpers"];

/** Imports of clients of other clouds' storage and key services, which the engine has for their effect alone. */
const DRIVERS =
  /^\t_? *"gocloud\.dev\/(blob\/(azureblob|gcsblob|s3blob)|secrets\/(awskms|azurekeyvault|gcpkms|hashivault))".*\n/gm;

/** The changes of each file, which leave states in files and the secrets providers "passphrase" and "service". */
const CHANGES: Readonly<Record<string, (source: string) => string>> = {
  "backend/diy/backend.go": (source) =>
    remove(
      remove(source, /^\tif p\.Scheme == gcsblob\.Scheme \{\n[^]*?^\t\}\n/m, "Google's storage"),
      /^\tif p\.Scheme == azureblob\.Scheme \{\n[^]*?^\t\}\n/m,
      "Azure's storage",
    ),
  "backend/diy/bucket.go": (source) =>
    withoutFunctions(
      remove(
        source,
        /^\t\tvar input \*awss3\.CopyObjectInput\n\t\tif asFunc\(&input\) \{\n.*\n\t\t\}\n/m,
        "names of copies in S3",
      ),
      ["fixupS3CopySource"],
    ),
  "secrets/cloud/manager.go": (source) =>
    remove(source, /^\tcase gcpkms\.Scheme:\n[^]*?(?=^\tdefault:)/m, "Google's key service"),
  "operations/resources.go": (source) =>
    source.replace(/^\tcase "(aws|gcp)":\n\t\treturn (AWS|GCP)OperationsProvider\(.*\n/gm, ""),
};

/**
 * Leaves out of Pulumi's engine what it has for states, secrets and logs in other clouds. Here its state is a folder
 * and its secrets have a passphrase. That is 500 of the 1,700 packages to compile.
 *
 * @param module - writable copy of the Go module github.com/pulumi/pulumi/pkg/v3
 * @throws ToolchainError when a part that has to go isn't where it was
 */
export async function pruneEngine(module: string): Promise<void> {
  for (const name of WITHOUT) await rm(path.join(module, name), { recursive: true });
  for (const [name, change] of Object.entries(CHANGES)) {
    const file = path.join(module, name);
    try {
      const source = change(await readFile(file, "utf8"));
      await writeFile(file, withoutUnusedImports(source.replace(DRIVERS, "")));
    } catch (error) {
      throw new ToolchainError(`Pulumi's engine has changed (${name}: ${String(error)}): look at engine.ts.`);
    }
  }
}
