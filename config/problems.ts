import { closestMatch } from "leven";

/** An invalid configuration value. */
export interface Problem {
  /** Path of the key, e.g. ["cluster", "nodeCount"]. */
  path: string[];
  /** The value; undefined if it is missing. */
  value: unknown;
  /** Description of the allowed values. */
  allowed: string;
}

/** Returns the value at a path, or undefined if a part of the path is missing. */
export function valueAt(raw: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    raw,
  );
}

/** Returns a problem for a key that the schema doesn't have; it suggests the most similar known key. */
export function unknownKey(path: string[], known: string[], value: unknown): Problem {
  const similar = similarKey(path.at(-1) ?? "", known);
  const hint = similar === undefined ? "" : ` Did you mean "${[...path.slice(0, -1), similar].join(".")}"?`;
  return { path, value, allowed: `no such key; the keys are ${known.join(", ")}.${hint}` };
}

/**
 * Returns the known key with the smallest edit distance, ignoring case. The distance may be at most a third of the
 * key's length, or 2 if the key is shorter than 9 characters.
 */
function similarKey(key: string, known: string[]): string | undefined {
  const lower = new Map(known.map((name) => [name.toLowerCase(), name]));
  const maxDistance = Math.max(2, Math.floor(key.length / 3));
  return lower.get(closestMatch(key.toLowerCase(), [...lower.keys()], { maxDistance }) ?? "");
}

/** Formats all problems as one message with a line for each: key, value, allowed values. */
export function explain(problems: Problem[]): string {
  const lines = problems.map(({ path, value, allowed }) => {
    const state = value === undefined ? "is missing" : `is ${withoutCredentials(JSON.stringify(value))}`;
    return `  ${path.join(".")} ${state}; allowed: ${allowed}`;
  });
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `The stack configuration has ${count}; nothing was changed:\n${lines.join("\n")}`;
}

/** Replaces the user and password of URLs anywhere in the text. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^"\s]*@/g, "://[secret]@");
}
