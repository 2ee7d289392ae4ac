import { closestMatch } from "leven";

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** The key, from the top: ["cluster", "nodeCount"]. */
  path: string[];
  /** What it was; undefined when it is missing. */
  was: unknown;
  /** What is allowed, in words. */
  allowed: string;
}

/** The value at a path, or undefined when something on the way isn't there. */
export function valueAt(raw: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    raw,
  );
}

/** A problem for a key that the schema doesn't have, with the key that may have been meant. */
export function unknownKey(path: string[], known: string[], was: unknown): Problem {
  const nearest = nearestKey(path.at(-1) ?? "", known);
  const hint = nearest === undefined ? "" : ` Did you mean "${[...path.slice(0, -1), nearest].join(".")}"?`;
  return { path, was, allowed: `no such key; there are ${known.join(", ")}.${hint}` };
}

/** The known key with the fewest differing letters, at most a third of it or two. */
function nearestKey(key: string, known: string[]): string | undefined {
  const lower = new Map(known.map((name) => [name.toLowerCase(), name]));
  const maxDistance = Math.max(2, Math.floor(key.length / 3));
  return lower.get(closestMatch(key.toLowerCase(), [...lower.keys()], { maxDistance }) ?? "");
}

/** All problems in one message, a line each: the key, what it was, what is allowed. */
export function explain(problems: Problem[]): string {
  const lines = problems.map(({ path, was, allowed }) => {
    const state = was === undefined ? "is missing" : `is ${withoutCredentials(JSON.stringify(was))}`;
    return `  ${path.join(".")} ${state}; allowed: ${allowed}`;
  });
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `The stack's configuration has ${count}; nothing was made:\n${lines.join("\n")}`;
}

/** A URL may have a password in it, wherever it stands. */
function withoutCredentials(text: string): string {
  return text.replaceAll(/:\/\/[^"\s]*@/g, "://[secret]@");
}
