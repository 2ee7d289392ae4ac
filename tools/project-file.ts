import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { stringify } from "yaml";
import type { Key } from "./configuration-page.ts";
import { isList, isObject, isRequired, isSecret, keys } from "./configuration-page.ts";

/** Path of the Pulumi project file. */
export const PROJECT_FILE = fileURLToPath(new URL("../Pulumi.yaml", import.meta.url));

const COMMENT = `# Generated from config/schema.ts by \`npm run docs\`; docs/configuration.md describes each key. config.ts checks the
# values and reports all problems together. Each key has an empty default, because the engine would otherwise fail on
# missing keys before the program runs.`;

/** Returns the text of Pulumi.yaml, in which the last block, `config`, is generated. */
export async function projectFile(): Promise<string> {
  const [others = ""] = (await readFile(PROJECT_FILE, "utf8")).split(/^(?:#.*\n)*config:\n/m);
  const all = await keys();
  const entries = all
    .filter(({ path }) => path.length === 1)
    .map((key) => {
      const inner = all.filter(({ path }) => path.length === 2 && path[0] === key.path[0]);
      return { [name(key)]: { description: description(key, inner), default: emptyValue(key) } };
    });
  const config = stringify({ config: Object.assign({}, ...entries) as object }, { lineWidth: 110 });
  return format(`${others}${COMMENT}\n${config}`, { ...(await resolveConfig(PROJECT_FILE)), parser: "yaml" });
}

function description(key: Key, inner: Key[]): string {
  const required = inner.filter(isRequired).map(name);
  const optional = inner.filter((one) => !isRequired(one)).map(withDefault);
  return [
    key.description.replaceAll("`", ""),
    isRequired(key) ? "Required." : "Optional.",
    ...(required.length > 0 ? [`Required keys: ${required.join(", ")}.`] : []),
    ...(optional.length > 0 ? [`Optional keys: ${optional.join(", ")}.`] : []),
    ...(isSecret(key) ? ["A secret: set it with --secret."] : []),
  ].join(" ");
}

function name({ path }: Key): string {
  return path.at(-1) ?? "";
}

function withDefault(key: Key): string {
  const { byDefault } = key;
  const isPlain = ["string", "number", "boolean"].includes(typeof byDefault);
  return isPlain ? `${name(key)} (${String(byDefault)})` : name(key);
}

/**
 * Returns the empty default of a key in Pulumi.yaml, which stands for a missing value. For a required object, it is {}
 * instead of "", so that the program reports each key that is missing in the object.
 */
function emptyValue(key: Key): unknown {
  if (isObject(key)) return key.optional ? "" : {};
  return isList(key) ? [] : "";
}
