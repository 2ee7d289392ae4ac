import table from "./table.json" with { type: "json" };
import type { Block } from "../../plugin/schema/argument.ts";

/** Name and version of the provider that the table describes. */
export const { provider } = table;

/** Arguments by Pulumi token of the resource type: `table.json`, which `npm run generate:google-schema` generates. */
export const schemas = table.types as unknown as Readonly<Record<string, { readonly arguments: Block }>>;

/** Arguments of a resource type. @throws Error if the table lacks the type */
export function schemaOf(token: string): Block {
  const schema = schemas[token];
  if (schema === undefined)
    throw new Error(`${token}: packages/local-cloud/google/schema/table.json lacks this type`);
  return schema.arguments;
}
