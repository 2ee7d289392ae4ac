import type { Argument, Block } from "../plugin/schema/argument.ts";

/** Returns an argument whose change needs a replacement. */
function argument(terraformName: string, type: Argument["type"], more: Partial<Argument>): Argument {
  return { terraformName, type, optional: true, forceNew: true, ...more };
}

const flag = (name: string): Argument => argument(name, "TypeBool", { default: true });
const count = (name: string): Argument => argument(name, "TypeInt", { default: 0 });
const output = (name: string): Argument => ({ terraformName: name, type: "TypeString", computed: true });

/** Arguments and outputs of RandomString, as in the npm package. */
export const stringSchema: Block = {
  length: argument("length", "TypeInt", { optional: false, required: true }),
  lower: flag("lower"),
  upper: flag("upper"),
  numeric: flag("numeric"),
  special: flag("special"),
  minLower: count("min_lower"),
  minUpper: count("min_upper"),
  minNumeric: count("min_numeric"),
  minSpecial: count("min_special"),
  overrideSpecial: argument("override_special", "TypeString", {}),
  keepers: argument("keepers", "TypeMap", {}),
  number: argument("number", "TypeBool", { deprecated: true }),
  result: output("result"),
};

/** Arguments and outputs of RandomPassword. */
export const passwordSchema: Block = { ...stringSchema, bcryptHash: output("bcrypt_hash") };
