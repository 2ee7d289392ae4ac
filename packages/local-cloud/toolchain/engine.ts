import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";
import { remove, removeFunctions, removeUnusedImports } from "./go-source.ts";

/** Removed files: `pulumi logs` for AWS and Google, and Google's credentials for remote state and secrets. */
const REMOVED_FILES = ["operations/operations_aws.go", "operations/operations_gcp.go", "authhelpers"];

/**
 * Matches the engine's imports of clients for storage and key services of AWS, Azure, Google Cloud and Vault, which are
 * removed. Most of them are blank imports (`_`), whose packages only register themselves.
 */
const DRIVERS =
  /^\t_? *"gocloud\.dev\/(blob\/(azureblob|gcsblob|s3blob)|secrets\/(awskms|azurekeyvault|gcpkms|hashivault))".*\n/gm;

/**
 * Functions that change source files of the engine, by path. The changed engine still supports local state and the
 * secrets providers "passphrase" and "service".
 */
const CHANGES: Readonly<Record<string, (source: string) => string>> = {
  "backend/diy/backend.go": (source) =>
    remove(
      remove(source, /^\tif p\.Scheme == gcsblob\.Scheme \{\n[^]*?^\t\}\n/m, "Google's storage"),
      /^\tif p\.Scheme == azureblob\.Scheme \{\n[^]*?^\t\}\n/m,
      "Azure's storage",
    ),
  "backend/diy/bucket.go": (source) =>
    removeFunctions(
      remove(
        source,
        /^\t\tvar input \*awss3\.CopyObjectInput\n\t\tif asFunc\(&input\) \{\n.*\n\t\t\}\n/m,
        "S3's copy source",
      ),
      ["fixupS3CopySource"],
    ),
  "secrets/cloud/manager.go": (source) =>
    remove(source, /^\tcase gcpkms\.Scheme:\n[^]*?(?=^\tdefault:)/m, "Google's key service"),
  "operations/resources.go": (source) =>
    source.replace(/^\tcase "(aws|gcp)":\n\t\treturn (AWS|GCP)OperationsProvider\(.*\n/gm, ""),
};

/**
 * Removes from Pulumi's engine the code that stores state in AWS, Azure and Google Cloud, encrypts secrets with their
 * key services, and reads logs there. The local cloud stores state in a directory and encrypts secrets with a
 * passphrase. Without this code, 500 of the 1,700 packages need not be compiled.
 *
 * @param module writable copy of the Go module github.com/pulumi/pulumi/pkg/v3
 * @throws ToolchainError when a part to remove is not found
 */
export async function pruneEngine(module: string): Promise<void> {
  for (const name of REMOVED_FILES) await rm(path.join(module, name), { recursive: true });
  for (const [name, change] of Object.entries(CHANGES)) {
    const file = path.join(module, name);
    try {
      const source = change(await readFile(file, "utf8"));
      await writeFile(file, removeUnusedImports(source.replace(DRIVERS, "")));
    } catch (error) {
      throw new ToolchainError(`Pulumi's engine has changed (${name}: ${String(error)}): update engine.ts.`);
    }
  }
}
