/**
 * Removes top-level functions and methods from Go source, with the comments above them. Relies on gofmt's layout: a
 * declaration begins and ends at the start of a line.
 *
 * @param names - names of functions; a method is named as `Type.Method`
 * @throws Error that names a function that isn't there
 */
export function withoutFunctions(source: string, names: readonly string[]): string {
  return names.reduce((left, name) => {
    const [method, type] = name.split(".").toReversed();
    const receiver = type === undefined ? "" : `\\(\\w+ \\*?${type}\\) `;
    return remove(
      left,
      new RegExp(`^(//.*\\n)*func ${receiver}${method ?? name}\\b.*\\{\\n([^}].*\\n|\\n)*\\}\\n`, "m"),
      name,
    );
  }, source);
}

/** Removes the one part of the source that matches. @throws Error that names the part when nothing matches */
export function remove(source: string, pattern: RegExp, part: string): string {
  if (!pattern.test(source)) throw new Error(`there is no ${part}`);
  return source.replace(pattern, "");
}

/**
 * Removes the imports of packages that the rest of the Go source doesn't name, since unused imports don't compile.
 * A package's name is taken from its import: the alias, else the path's last element but a major version, without `go-`.
 */
export function withoutUnusedImports(source: string): string {
  const body = source.replace(/^import \((.*?)^\)$/ms, "");
  return source.replace(/^\t(?:(\w+) )?"([^"]+)"\n/gm, (line, alias: string | undefined, path: string) => {
    const name =
      alias ??
      path
        .replace(/\/v\d+$/, "")
        .replace(/^.*\//, "")
        .replace(/^go-/, "");
    return name === "_" || new RegExp(`\\b${name}\\.`).test(body) ? line : "";
  });
}
