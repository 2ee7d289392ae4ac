/** Checks the paths of pushes. */

/**
 * Removes a doubled slash at the start of a path. PROMPG_URL with a slash at the end results in `//metrics`, to which
 * the Pushgateway responds with a redirect that most clients treat as success.
 */
export function withoutDoubledSlash(path: string): string {
  return path.replace(/^\/+/, "/");
}

/**
 * Returns the problem of a path, such as a label without a value. The Pushgateway would keep a second group with the
 * empty label. To Prometheus an empty label is no label, so both groups would have the same series.
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
