/** Checks the paths of pushes. */

/**
 * Removes a doubled slash at the start of a path. Clients send `//metrics` if their PROMPG_URL, the URL for pushes,
 * ends with a slash. The Pushgateway responds to such a path with a redirect that most clients treat as success.
 */
export function withoutDoubledSlash(path: string): string {
  return path.replace(/^\/+/, "/");
}

/**
 * Returns the problem of a path, such as a label without a value. For the Pushgateway, a path with an empty label and
 * the same path without this label are two groups. For Prometheus, an empty label is no label, so both groups would
 * have the same series.
 *
 * @returns undefined for a valid path
 */
export function pathProblem(path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path.split("?")[0] ?? "");
  } catch {
    return "the path is not UTF-8 in percent-encoding";
  }
  const segments = decoded.split("/").slice(2);
  for (let at = 0; at + 1 < segments.length; at += 2) {
    const [name = "", value = ""] = segments.slice(at);
    const isEmpty = value === "" || (name.endsWith("@base64") && /^=*$/.test(value));
    if (isEmpty)
      return `the path's label "${name}" has no value: is a variable in the URL empty? Leave the label out`;
  }
  return undefined;
}
