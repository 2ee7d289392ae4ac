import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/**
 * Checks that a Pushgateway on the internet has a password, a domain and explicit source ranges, and that any other
 * Pushgateway has neither a domain nor source ranges.
 */
export function checkExposure(raw: unknown): Problem[] {
  const path = (key: string) => ["pushGateway", key];
  const value = (key: string) => valueAt(raw, path(key));
  const problem = (key: string, allowed: string) => ({ path: path(key), value: value(key), allowed });
  if (value("exposure") === "external") {
    const why = 'when pushGateway.exposure is "external"';
    return [
      ...(value("auth") === true ? [] : [problem("auth", `true ${why}`)]),
      ...(value("domain") === undefined ? [problem("domain", `a domain name ${why}`)] : []),
      ...(value("sourceRanges") === undefined
        ? [problem("sourceRanges", `a list of IPv4 ranges, or "anywhere", ${why}`)]
        : []),
    ];
  }
  return ["domain", "sourceRanges"]
    .filter((key) => value(key) !== undefined)
    .map((key) => problem(key, 'no value unless pushGateway.exposure is "external"'));
}

/** Checks that remote write has either both a user and a password or neither. */
export function checkRemoteWrite(raw: unknown): Problem[] {
  const user = valueAt(raw, ["remoteWrite", "user"]);
  const path = ["remoteWritePassword"];
  const password = valueAt(raw, path);
  if (user !== undefined && password === undefined) {
    return [{ path, value: password, allowed: "the password of remoteWrite.user, set with --secret" }];
  }
  if (user === undefined && password !== undefined) {
    return [{ path, value: "[secret]", allowed: "no value unless remoteWrite.user is set" }];
  }
  return [];
}
