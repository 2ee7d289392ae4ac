/**
 * Removes top-level functions and methods, with their comments, from Go source. Relies on gofmt's format: a
 * declaration begins and ends at the start of a line.
 *
 * @param names names of functions; methods as `Type.Method`
 * @throws Error that names a missing function
 */
export function removeFunctions(source: string, names: readonly string[]): string {
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

/**
 * Removes the part of the source that matches.
 *
 * @param part description for the error
 * @throws Error that names the part when nothing matches
 */
export function remove(source: string, pattern: RegExp, part: string): string {
  if (!pattern.test(source)) throw new Error(`${part} not found`);
  return source.replace(pattern, "");
}

/**
 * Removes imports that the Go source doesn't use, because the compiler rejects them. Searches the source for the
 * import's alias or, without an alias, for the last element of its path without major version and `go-`.
 */
export function removeUnusedImports(source: string): string {
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
