// @ts-check

const BASE64 = "@base64";

/**
 * The group that a push is for, whichever way its path names it: the gateway knows one by its labels, and clients write
 * them in any order (Go's does) and encode them or not (its handler/push.go, splitLabels).
 *
 * @param {string} url - "/metrics/job/NAME/LABEL/VALUE…"
 * @returns {string} the same for all names of a group; of what is none, itself
 */
export function groupOf(url) {
  try {
    const [, , ...words] = decodeURIComponent(url.split("?")[0] ?? "").split("/");
    /** @type {Map<string, string>} */
    const labels = new Map();
    for (let at = 0; at + 1 < words.length; at += 2) {
      const [name = "", value = ""] = words.slice(at);
      if (name.endsWith(BASE64)) {
        labels.set(name.slice(0, -BASE64.length), Buffer.from(value, "base64url").toString());
      } else labels.set(name, value);
    }
    return JSON.stringify([...labels].sort(([one], [other]) => (one < other ? -1 : 1)));
  } catch {
    return url;
  }
}
