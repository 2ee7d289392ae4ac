import bcrypt from "bcryptjs";
import type {
  CheckRequest,
  CheckedInputs,
  CreateRequest,
  Difference,
  DiffRequest,
  Made,
  Plugin,
  ReadRequest,
  ReadResult,
  UpdateRequest,
} from "../plugin/plugin.ts";
import type { Block } from "../plugin/schema/argument.ts";
import { differences } from "../plugin/schema/differences.ts";
import { validate } from "../plugin/schema/validate.ts";
import { complete, predict } from "../plugin/schema/values.ts";
import { isKnown, secret, UNKNOWN, unwrap, type Values } from "../plugin/values.ts";
import { randomText, validateText } from "./generate.ts";
import { passwordSchema, stringSchema } from "./schema.ts";

const passwordType = "random:index/randomPassword:RandomPassword";
/** The real provider's bcrypt cost (bcrypt.DefaultCost). */
const BCRYPT_COST = 10;
const textType = "random:index/randomString:RandomString";

const schemas: Readonly<Record<string, Block>> = {
  [passwordType]: passwordSchema,
  [textType]: stringSchema,
};

/** The emulated provider `random` with RandomPassword and RandomString. */
export class RandomProvider implements Plugin {
  constructor(readonly version: string) {}

  configure(): void {
    // The provider has no configuration.
  }

  check({ type, inputs }: CheckRequest): CheckedInputs {
    const schema = schemaOf(type);
    const completed = complete(schema, inputs);
    const failures = validate(schema, {}, inputs);
    const isWhole = failures.length === 0 && isKnown(completed);
    return { inputs: completed, failures: isWhole ? validateText(completed) : failures };
  }

  diff({ type, state, before, inputs }: DiffRequest): Difference {
    const changes = differences(schemaOf(type), {}, { before, after: inputs, state });
    return { changes, deleteBeforeReplace: false };
  }

  async create({ type, inputs, preview }: CreateRequest): Promise<Made> {
    const schema = schemaOf(type);
    if (preview) return { id: "", state: { ...predict(schema, inputs), id: UNKNOWN } };
    const result = randomText(inputs);
    // Only a RandomString's ID is its text. A password is not used as an ID, because IDs are shown in plain text.
    if (type === textType) return { id: result, state: { ...inputs, result } };
    const bcryptHash = await bcrypt.hash(result, BCRYPT_COST);
    return { id: "none", state: withSecrets(type, { ...inputs, result, bcryptHash }) };
  }

  /** Returns the state as it is, because there is no external resource to read. */
  read({ type, id, inputs, state }: ReadRequest): Promise<ReadResult | undefined> {
    schemaOf(type);
    return Promise.resolve({ id, inputs, state: withSecrets(type, state) });
  }

  update({ type, state, inputs }: UpdateRequest): Promise<Values> {
    return Promise.resolve(withSecrets(type, { ...state, ...inputs }));
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  invoke(token: string): Promise<Values> {
    return Promise.reject(new Error(`The local "random" does not emulate the function ${token}`));
  }
}

function withSecrets(type: string, state: Values): Values {
  if (type !== passwordType) return state;
  const secrets = ["result", "bcryptHash"].flatMap((key) => {
    const value = unwrap(state[key]);
    return value === undefined ? [] : [[key, secret(value)] as const];
  });
  return { ...state, ...Object.fromEntries(secrets) };
}

/** Returns the schema of a type. @throws Error that names a type that is not emulated */
function schemaOf(type: string): Block {
  const schema = schemas[type];
  if (schema !== undefined) return schema;
  throw new Error(
    `The local "random" does not emulate the resource type ${type}, only ${Object.keys(schemas).join(", ")}`,
  );
}
