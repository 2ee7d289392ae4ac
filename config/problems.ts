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

/** A problem for a key that nobody reads, with the known one it may have been meant to be. */
export function unknownKey(path: string[], known: string[], was: unknown): Problem {
  const key = path.at(-1) ?? "";
  const parent = path.slice(0, -1);
  const nearest = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint =
    nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(nearest.name.length / 3))
      ? ` Did you mean "${[...parent, nearest.name].join(".")}"?`
      : "";
  return { path, was, allowed: `no such key; there are ${known.join(", ")}.${hint}` };
}

/** How many letters have to be added, taken away or changed to turn one word into the other. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** All problems in one message, a line each: the key, what it was, what is allowed. */
export function explain(problems: Problem[]): string {
  const lines = problems.map(({ path, was, allowed }) => {
    const state = was === undefined ? "is missing" : `is ${JSON.stringify(was)}`;
    return `  ${path.join(".")} ${state}; allowed: ${allowed}`;
  });
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `The stack's configuration has ${count}; nothing was made:\n${lines.join("\n")}`;
}
