/** An argument or output in the real provider's schema. An output is neither `required` nor `optional`. */
export interface Argument {
  readonly terraformName: string;
  readonly type: "TypeString" | "TypeBool" | "TypeInt" | "TypeFloat" | "TypeList" | "TypeSet" | "TypeMap";
  readonly required?: boolean;
  readonly optional?: boolean;
  /** Whether the provider sets a value if the program does not. */
  readonly computed?: boolean;
  /** Whether a change needs a replacement; for a block, whether adding or removing it does. */
  readonly forceNew?: boolean;
  readonly deprecated?: boolean;
  readonly default?: boolean | number | string;
  readonly minItems?: number;
  /** Maximum number of items. A list with a maximum of 1 is a single item in Pulumi. */
  readonly maxItems?: number;
  /** Whether the provider treats some different values as equal, e.g. a name and a self link. */
  readonly suppressesSomeDiffs?: boolean;
  /** Relations to other arguments, as Terraform paths such as `addons_config.0.istio_config`. */
  readonly conflictsWith?: readonly string[];
  readonly requiredWith?: readonly string[];
  readonly exactlyOneOf?: readonly string[];
  readonly atLeastOneOf?: readonly string[];
  /** Arguments of each item, if the items are blocks. */
  readonly arguments?: Block;
}

/** Arguments by Pulumi name. */
export type Block = Readonly<Record<string, Argument>>;

/** Reports whether a program can set the argument. */
export function isInput(argument: Argument): boolean {
  return argument.required === true || argument.optional === true;
}
