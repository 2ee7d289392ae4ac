import table from "./table.json" with { type: "json" };

/** An argument of the real provider, as its schema declares it. */
export interface Argument {
  readonly terraformName: string;
  readonly type: "TypeString" | "TypeBool" | "TypeInt" | "TypeFloat" | "TypeList" | "TypeSet" | "TypeMap";
  readonly required?: boolean;
  readonly optional?: boolean;
  /** Whether the provider sets it, if the program doesn't. */
  readonly computed?: boolean;
  /** Whether a change of it needs a new resource; of a block, whether it comes or goes. */
  readonly forceNew?: boolean;
  readonly deprecated?: boolean;
  readonly default?: boolean | number | string;
  readonly minItems?: number;
  /** A list with a maximum of 1 is its item in Pulumi. */
  readonly maxItems?: number;
  /** Whether the provider regards some different values as equal, e.g. a name and a self link. */
  readonly suppressesSomeDiffs?: boolean;
  /** Relations to other arguments, by Terraform paths such as `addons_config.0.istio_config`. */
  readonly conflictsWith?: readonly string[];
  readonly requiredWith?: readonly string[];
  readonly exactlyOneOf?: readonly string[];
  readonly atLeastOneOf?: readonly string[];
  /** Arguments of each item, if the items are blocks. */
  readonly arguments?: Block;
}

/** Arguments by Pulumi name. */
export type Block = Readonly<Record<string, Argument>>;

/** Name and version of the provider that the table describes. */
export const { provider } = table;

/** Arguments by Pulumi token of the resource type: `table.json`, which `npm run generate:google-schema` generates. */
export const schemas = table.types as unknown as Readonly<Record<string, { readonly arguments: Block }>>;

/** Arguments of a resource type. @throws Error if the table lacks the type */
export function schemaOf(token: string): Block {
  const schema = schemas[token];
  if (schema === undefined) throw new Error(`${token}: local/google/schema/table.json lacks this type`);
  return schema.arguments;
}

/** Whether a program may set the argument. */
export function isInput(argument: Argument): boolean {
  return argument.required === true || argument.optional === true;
}
