/** Checks the paths of pushes. */

/**
 * The path as the Pushgateway takes it. A slash at the end of PROMPG_URL gives `//metrics`, for which the Pushgateway
 * answers with a redirect that most clients take for success.
 */
export function withoutDoubledSlash(path: string): string {
  return path.replace(/^\/+/, "/");
}

/**
 * Why the Pushgateway must not see a path: it stores an empty value as a label, and the group's series are then the same
 * as those of the group without the label.
 *
 * @returns undefined for a path that it may see
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
