import { isValues, UNKNOWN, type Value, type Values } from "../values.ts";
import type { Block } from "./argument.ts";

/**
 * Adds the schema's defaults, also inside the blocks that the inputs contain. Deprecated arguments get no
 * default.
 */
export function complete(block: Block, inputs: Values): Values {
  const defaults = Object.entries(block)
    .filter(([, argument]) => argument.default !== undefined && argument.deprecated !== true)
    .map(([name, argument]) => [name, argument.default]);
  const completed: Values = { ...(Object.fromEntries(defaults) as Values), ...withValues(inputs) };
  return mapBlocks(block, completed, complete);
}

/** Returns the state for a preview: arguments, and unknown values for computed outputs. */
export function predict(block: Block, inputs: Values): Values {
  const computed = Object.entries(block).filter(([, argument]) => argument.computed);
  const unknown = Object.fromEntries(computed.map(([name]) => [name, UNKNOWN]));
  return mapBlocks(block, { ...unknown, ...withValues(inputs) }, predict);
}

function withValues(inputs: Values): Values {
  return Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
}

/** Returns the values with each nested block replaced by the result of `change`. */
function mapBlocks(block: Block, values: Values, change: (block: Block, values: Values) => Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const inner = block[name]?.arguments;
      const one = (item: Value): Value =>
        inner !== undefined && isValues(item) ? change(inner, item) : item;
      return [name, Array.isArray(value) ? value.map(one) : value === undefined ? value : one(value)];
    }),
  );
}
