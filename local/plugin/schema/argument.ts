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

/** Whether a program may set the argument. */
export function isInput(argument: Argument): boolean {
  return argument.required === true || argument.optional === true;
}
