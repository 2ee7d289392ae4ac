import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checksum, download } from "./download.ts";

/**
 * The operator's resource definitions that are used here, with the sha256 of each file. The same files lie
 * in the repository at the tag of the operator's version and in its Go module of that version, under
 * example/prometheus-operator-crd/; so wherever they come from, it is these or none. The operator starts a
 * controller only for what is defined (its main.go, checkPrerequisites): agents and Thanos rulers are not used, and
 * their CRDs are big. The Alertmanager controller lists AlertmanagerConfigs too, although none are used.
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
 * The CRD of ScrapeConfig, needed only where Felix is scraped: without its descriptions it is still nearly as big as all
 * the others together.
 */
export const SCRAPE_CONFIG_CRD_FILES: Readonly<Record<string, string>> = {
  "monitoring.coreos.com_scrapeconfigs.yaml":
    "0764d343c780a2d19738aefc301ebb7a3d2f56283952bb3614b8ab1f1f4175ce",
};

/**
 * Reads every resource definition, checks it against its checksum and leaves out its descriptions, as the
 * operator's own stripped-down-crds.yaml does: they are two thirds of it, which the state would keep twice and
 * each step of an `up` would write again.
 *
 * @param source - an https:// URL of a folder, or the path of one
 * @param files - names with sha256; by default all of CRD_FILES
 * @returns one YAML text with all of them
 * @throws Error that names the file and what to do
 */
export async function readCrds(source: string, files = CRD_FILES): Promise<string> {
  const texts = await Promise.all(
    Object.entries(files).map(async ([file, sha256]) => {
      const content = await readOne(source, file, sha256);
      const actual = checksum(content);
      if (actual !== sha256) {
        throw new Error(
          `${file} from ${source} is not the pinned one: its sha256 is ${actual}, it must be ${sha256}. ` +
            `Point the configuration's "crds" at the folder of the operator's own version.`,
        );
      }
      return withoutDescriptions(content.toString("utf8"));
    }),
  );
  return texts.join("\n---\n");
}

/**
 * Definitions as controller-gen writes them, without the texts under `description`: the keys that have text beside
 * them, and the lines that are further in. A property of that name has nothing beside it, and stays.
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
