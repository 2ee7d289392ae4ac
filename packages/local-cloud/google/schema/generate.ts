// npm run generate:google-schema: writes table.json from a description of the provider's schema. See README.md.
import { readFileSync, writeFileSync } from "node:fs";
import { readCommandLine } from "../../../../lib/command-line.ts";

/** Properties in schema.json that are not copied to table.json, because the emulation doesn't use them. */
const unused = ["elementType", "hasCustomizeDiff", "hasValidation", "sensitive", "terraformType"];

/** Arguments whose names in Pulumi don't follow the naming rule of Pulumi's Terraform bridge. */
const renamed: Record<string, string> = { terraformLabels: "pulumiLabels" };

function keepFacts(key: string, value: unknown): unknown {
  if (unused.includes(key)) return undefined;
  if (key === "deprecated") return true;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [renamed[name] ?? name, inner]));
}

const [file = "", provider] = readCommandLine({
  usage: `npm run generate:google-schema -- FILE PROVIDER
  FILE      path of a schema.json
  PROVIDER  name and version of the provider that it describes`,
  positionals: [2, 2],
}).positionals;
const table = { provider, types: JSON.parse(readFileSync(file, "utf8")) as unknown };
// Writes a line for each type and argument, so that a diff shows what another version of the provider changes.
const lines = JSON.stringify(table, keepFacts).replace(/"[\w:/]+":\{"(?!type")/g, "\n$&");
writeFileSync(new URL("table.json", import.meta.url), `${lines}\n`);
