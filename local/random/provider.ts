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
const textType = "random:index/randomString:RandomString";

/** Defaults of the real provider: every kind of character. */
const defaults: Values = { lower: true, upper: true, numeric: true, special: true };

/**
 * The provider `random`, as far as the program uses it: RandomPassword and RandomString. The real one
 * also outputs `bcryptHash`, which is left out here: Node has no bcrypt, and nothing uses it.
 */
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

  create({ type, inputs, preview }: CreateRequest): Promise<Made> {
    refuseUnknownType(type);
    if (preview) return Promise.resolve({ id: "", state: { ...inputs, id: UNKNOWN, result: UNKNOWN } });
    const result = randomText(inputs);
    // The real provider keeps a password out of the id, which is shown to everyone.
    if (type === textType) return Promise.resolve({ id: result, state: { ...inputs, result } });
    return Promise.resolve({ id: "none", state: { ...inputs, result: secret(result) } });
  }

  /** Nothing but the state knows the text. */
  read({ type, id, inputs, state }: ReadRequest): Promise<ReadResult | undefined> {
    refuseUnknownType(type);
    return Promise.resolve({ id, inputs, state: withSecret(type, state) });
  }

  update({ type, state, inputs }: UpdateRequest): Promise<Values> {
    return Promise.resolve(withSecret(type, { ...state, ...inputs }));
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  invoke(token: string): Promise<Values> {
    return Promise.reject(new Error(`The local "random" serves no function ${token}`));
  }
}

function withSecret(type: string, state: Values): Values {
  const result = unwrap(state["result"]);
  return type === passwordType && result !== undefined ? { ...state, result: secret(result) } : state;
}

function refuseUnknownType(type: string): void {
  if (type === passwordType || type === textType) return;
  throw new Error(
    `The local "random" serves no resource type ${type}; it knows ${passwordType}, ${textType}`,
  );
}
