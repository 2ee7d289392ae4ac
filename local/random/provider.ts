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
import { equal, isKnown, secret, UNKNOWN, unwrap, type Values } from "../plugin/values.ts";
import { randomText, refuseRandomText } from "./generate.ts";

const passwordType = "random:index/randomPassword:RandomPassword";
/** The real provider's (bcrypt.DefaultCost). */
const BCRYPT_COST = 10;
const textType = "random:index/randomString:RandomString";

/** Defaults of the real provider: every kind of character. */
const defaults: Values = { lower: true, upper: true, numeric: true, special: true };

/** The provider `random`, as far as the program uses it: RandomPassword and RandomString. */
export class RandomProvider implements Plugin {
  constructor(readonly version: string) {}

  configure(): void {
    // The provider has no settings.
  }

  check({ type, inputs }: CheckRequest): CheckedInputs {
    refuseUnknownType(type);
    const completed = { ...defaults, ...inputs };
    return { inputs: completed, failures: isKnown(completed) ? refuseRandomText(completed) : [] };
  }

  /** Any other argument makes a new text; the arguments are all that decides about it. */
  diff({ before, inputs }: DiffRequest): Difference {
    const changes = [...new Set([...Object.keys(before), ...Object.keys(inputs)])]
      .filter((key) => !key.startsWith("__") && !equal(before[key], inputs[key]))
      .map((path) => ({ path, kind: "update" as const, replace: true }));
    return { changes, deleteBeforeReplace: false };
  }

  async create({ type, inputs, preview }: CreateRequest): Promise<Made> {
    refuseUnknownType(type);
    const hashed = type === passwordType;
    if (preview) {
      const unknown = hashed ? { result: UNKNOWN, bcryptHash: UNKNOWN } : { result: UNKNOWN };
      return { id: "", state: { ...inputs, id: UNKNOWN, ...unknown } };
    }
    const result = randomText(inputs);
    // The real provider keeps a password out of the id, which is shown to everyone.
    if (!hashed) return { id: result, state: { ...inputs, result } };
    const bcryptHash = await bcrypt.hash(result, BCRYPT_COST);
    return { id: "none", state: withSecrets(type, { ...inputs, result, bcryptHash }) };
  }

  /** Nothing but the state knows the text. */
  read({ type, id, inputs, state }: ReadRequest): Promise<ReadResult | undefined> {
    refuseUnknownType(type);
    return Promise.resolve({ id, inputs, state: withSecrets(type, state) });
  }

  update({ type, state, inputs }: UpdateRequest): Promise<Values> {
    return Promise.resolve(withSecrets(type, { ...state, ...inputs }));
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  invoke(token: string): Promise<Values> {
    return Promise.reject(new Error(`The local "random" serves no function ${token}`));
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

function refuseUnknownType(type: string): void {
  if (type === passwordType || type === textType) return;
  throw new Error(
    `The local "random" serves no resource type ${type}; it knows ${passwordType}, ${textType}`,
  );
}
