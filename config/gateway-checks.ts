import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** The push gateway is never open to the world by oversight: no password, no name, no word about who may push. */
export function checkExposure(raw: unknown): Problem[] {
  const at = (key: string) => ["pushGateway", key];
  const was = (key: string) => valueAt(raw, at(key));
  const problem = (key: string, allowed: string) => ({ path: at(key), was: was(key), allowed });
  if (was("exposure") === "external") {
    const why = 'when pushGateway.exposure is "external"';
    return [
      ...(was("auth") === true ? [] : [problem("auth", `true ${why}`)]),
      ...(was("domain") === undefined ? [problem("domain", `a domain name ${why}`)] : []),
      ...(was("sourceRanges") === undefined
        ? [problem("sourceRanges", `a list of IPv4 ranges, or "anywhere" in so many words, ${why}`)]
        : []),
    ];
  }
  return ["domain", "sourceRanges"]
    .filter((key) => was(key) !== undefined)
    .map((key) => problem(key, 'nothing unless pushGateway.exposure is "external"'));
}

/** A user and a password belong together. */
export function checkRemoteWrite(raw: unknown): Problem[] {
  const user = valueAt(raw, ["remoteWrite", "user"]);
  const path = ["remoteWritePassword"];
  const password = valueAt(raw, path);
  if (user !== undefined && password === undefined) {
    return [{ path, was: password, allowed: "the password of remoteWrite.user, set with --secret" }];
  }
  // What it was is nobody's business.
  if (user === undefined && password !== undefined) {
    return [{ path, was: "[secret]", allowed: "nothing unless remoteWrite.user is given" }];
  }
  return [];
}
