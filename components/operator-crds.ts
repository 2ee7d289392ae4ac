import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checksum, download } from "../lib/download.ts";

/**
 * Files of the CRDs that are needed, with their SHA-256. The files are in example/prometheus-operator-crd/ of the
 * operator's repository, at the tag of the operator's version. The operator starts a controller only if the
 * controller's CRD exists (main.go, checkPrerequisites), so the large CRDs of PrometheusAgent and ThanosRuler are left
 * out. The Alertmanager controller requires the CRD AlertmanagerConfig, although this program creates no such resource.
 */
export const CRD_FILES: Readonly<Record<string, string>> = {
  "monitoring.coreos.com_alertmanagerconfigs.yaml":
    "7e34fd1f9abf3a2756eb53895f1ca6b291ce3cac929152c9e3919d8d7fb85ccf",
  "monitoring.coreos.com_alertmanagers.yaml":
    "5a7bdf7900fd58053f3403abc9daaa301a90cd8dd1bbdf1362788704a87d04a4",
  "monitoring.coreos.com_podmonitors.yaml":
    "8ce88c52c51209993511cae093089c9525f5552def88119e3f559123ee9d454b",
  "monitoring.coreos.com_probes.yaml": "97e6e59020feb71055628ac40b14f817662bb98ca720f19a45e85ac009081cc8",
  "monitoring.coreos.com_prometheuses.yaml":
    "fac555882d18023e1fb5c318ecab8f6bbcc158c9fed6abef7800da84049cd221",
  "monitoring.coreos.com_prometheusrules.yaml":
    "98fd16c9ab79fba8dcd6ef62c957c98cd6546ab74ce0a4ecf09ddf2fda03020e",
  "monitoring.coreos.com_servicemonitors.yaml":
    "1dae27b7189b5ce7b9ab764656c18b4c75a45cde1e6f3af6a5e84c4317628919",
};

/**
 * File of the CRD ScrapeConfig, needed only where Felix is scraped. Even without descriptions it is nearly as large as
 * the other CRDs together.
 */
export const SCRAPE_CONFIG_CRD_FILES: Readonly<Record<string, string>> = {
  "monitoring.coreos.com_scrapeconfigs.yaml":
    "0764d343c780a2d19738aefc301ebb7a3d2f56283952bb3614b8ab1f1f4175ce",
};

/**
 * Reads the CRDs, verifies their checksums and removes their descriptions, as the operator's own
 * stripped-down-crds.yaml does. Descriptions are two thirds of a CRD. The state contains each CRD twice, and the engine
 * writes the state again at each step of an update.
 *
 * @param source - an https:// URL or a path of a directory
 * @param files - file names with their SHA-256. Default: CRD_FILES
 * @returns one YAML text with all CRDs
 * @throws Error with a file's name if the file can't be read or has another checksum
 */
export async function readCrds(source: string, files = CRD_FILES): Promise<string> {
  const texts = await Promise.all(
    Object.entries(files).map(async ([file, sha256]) => {
      const content = await readOne(source, file, sha256);
      const actual = checksum(content);
      if (actual !== sha256) {
        throw new Error(
          `${file} from ${source} is not the expected file: its SHA-256 is ${actual} instead of ${sha256}. ` +
            `Set the configuration key "crds" to the directory of the CRDs of the operator's version.`,
        );
      }
      return withoutDescriptions(content.toString("utf8"));
    }),
  );
  return texts.join("\n---\n");
}

/**
 * Removes descriptions from CRDs in the format of controller-gen: each key `description` whose value is a text, and
 * the more indented lines that follow it. A property named `description` has a map as value and is kept.
 */
function withoutDescriptions(yaml: string): string {
  let skipped = Infinity;
  return yaml
    .split("\n")
    .filter((line) => {
      const indent = line.search(/\S/);
      if (skipped < Infinity && (indent === -1 || indent > skipped)) return false;
      skipped = line.startsWith("description: ", indent) ? indent : Infinity;
      return skipped === Infinity;
    })
    .join("\n");
}

async function readOne(source: string, file: string, sha256: string): Promise<Buffer> {
  const where = source.startsWith("https://") ? `${source.replace(/\/$/, "")}/${file}` : join(source, file);
  try {
    return source.startsWith("https://") ? await download(where, sha256) : await readFile(where);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read ${where} (configuration key "crds"): ${why}`, { cause: error });
  }
}
