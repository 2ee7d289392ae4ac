import { isIPv4 } from "node:net";
import { z } from "zod";
import { overlap, parseCidr } from "../lib/cidr.ts";

/** Accepts strings that pass `check`; `allowed` describes them. */
export function string(allowed: string, check: RegExp | ((value: string) => boolean)) {
  const passes = (value: string) => (check instanceof RegExp ? check.test(value) : check(value));
  return z.string({ error: allowed }).refine(passes, { error: allowed });
}

/** Accepts integers from `min` to `max`; `unit` follows the numbers in messages. */
export function integer(min: number, max: number, unit = "") {
  const error = `an integer from ${min} to ${max}${unit}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** Accepts true and false. */
export function boolean(byDefault: boolean) {
  return z.boolean({ error: "true or false" }).default(byDefault);
}

/** Accepts one of the values. */
export function enumOf<const Value extends string>(...values: [Value, ...Value[]]) {
  const quoted = values.map((value) => `"${value}"`);
  const error = [quoted.slice(0, -1).join(", "), quoted.at(-1)].join(" or ");
  return z.enum(values, { error });
}

/** Accepts objects; rejects keys that `shape` doesn't have. */
export function object<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: objectProblem(Object.keys(shape)) });
}

function objectProblem(keys: string[]) {
  return (issue: { code?: string }) =>
    issue.code === "invalid_type" ? `an object with the keys ${keys.join(", ")}` : undefined;
}

/** Accepts IPv4 ranges in CIDR notation with a prefix length from `min` to `max`. */
export function cidr(min: number, max: number) {
  const allowed =
    min === max
      ? `an IPv4 range with the prefix /${min} that begins with its first address, like 10.250.16.0/28`
      : `an IPv4 range with a prefix from /${min} to /${max} that begins with its first address, like 10.248.0.0/20`;
  return string(allowed, (value) => {
    const range = parseCidr(value);
    return range !== undefined && range.bitmask >= min && range.bitmask <= max;
  });
}

/** Ranges that subnetworks can't have: cloud.google.com/vpc/docs/subnets#prohibited-ranges. */
const PROHIBITED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/** Accepts IPv4 ranges that a subnetwork can have, with a prefix length from `min` to `max`. */
export function subnetworkRange(min: number, max: number) {
  return cidr(min, max).refine(
    (value) => {
      const range = parseCidr(value);
      return !PROHIBITED.some((text) => {
        const prohibited = parseCidr(text);
        return range !== undefined && prohibited !== undefined && overlap(range, prohibited);
      });
    },
    { error: `a range that a subnetwork can have, outside ${PROHIBITED.join(", ")}` },
  );
}

/**
 * Accepts lists of at least `min` source IP ranges. A range can be as large as the private range 10.0.0.0/8, but not
 * larger: two ranges, 0.0.0.0/1 and 128.0.0.0/1, would cover the whole internet.
 */
export function sourceRanges(error: string, min: number) {
  return z.array(cidr(8, 32), { error }).min(min, { error });
}

/** Accepts IPv4 addresses. */
export const address = string("an IPv4 address, like 10.248.1.4", isIPv4);

/** Accepts names of compute resources (RFC 1035) with at most `max` characters; `why` explains the limit. */
export function googleName(max: number, why = "") {
  return string(
    `1 to ${max} lower-case letters, digits and dashes, beginning with a letter and not ending with a dash${why}`,
    new RegExp(`^[a-z]([a-z0-9-]{0,${max - 2}}[a-z0-9])?$`),
  );
}

const IMAGE_NAME = "[a-z0-9]+([./_:-]+[a-z0-9]+)*";
/** Pattern of an image tag that is also a valid label value, because workloads have the tag as label `version`. */
const TAG = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?";
const DIGEST = "@sha256:[0-9a-f]{64}";

/** Accepts container images with a tag, a digest or both. */
export const image = string(
  "an image with a tag, a digest or both, like quay.io/prometheus/pushgateway:v1.11.1",
  new RegExp(`^${IMAGE_NAME}(:${TAG}(${DIGEST})?|${DIGEST})$`),
);

/** Pattern of an identifier in a pre-release version, as Semantic Versioning 2.0.0 defines it, in lower case. */
const IDENTIFIER = "(0|[1-9][0-9]*|[0-9]*[a-z-][0-9a-z-]*)";
const PRERELEASE = `-${IDENTIFIER}([.]${IDENTIFIER})*`;

/**
 * Accepts container images whose tag is a version that begins with `series`. The Prometheus Operator chooses the
 * program's command-line flags by this version. It rejects an unsupported version only after the change has been
 * applied.
 *
 * @param series regular expression of the first numbers
 */
export function versionedImage(series: string, description: string, example: string) {
  return string(
    `an image whose tag is a version ${description}, with or without a digest, like ${example}`,
    new RegExp(`^${IMAGE_NAME}:v?${series}[.][0-9]+(${PRERELEASE})?(${DIGEST})?$`),
  );
}

/** Accepts the directory of the operator's CRDs: an https:// URL or an absolute path. */
export const crds = string(
  "an https:// URL of a directory without user and password, or an absolute path; ${NAME} stands for an environment variable",
  (value) => (value.includes("://") ? isHttpsUrl(value) : /^(\/|\$\{)/.test(value)),
);

function isHttpsUrl(value: string): boolean {
  if (!value.startsWith("https://") || !URL.canParse(value)) return false;
  const { hostname, username, password } = new URL(value);
  return hostname.includes(".") && username === "" && password === "";
}

/**
 * Accepts user names that match `check`. `pulumi config set --path` writes a name of digits as a number, which is
 * converted to a string.
 */
export function userName(check: RegExp) {
  const asString = (value: unknown) => (Number.isSafeInteger(value) ? String(value) : value);
  return z.preprocess(asString, string("a user name", check));
}

/** Accepts URLs with one of the protocols, e.g. "https:". */
export function url(protocols: string[], example: string) {
  return string(
    `a URL, like ${example}`,
    (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol) && hasPort(value),
  );
}

/** Reports whether the value is an http:// or https:// URL without user and password. */
export function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/?#@]+([/?#]|$)/.test(value) && URL.canParse(value) && hasPort(value);
}

/** Reports whether a URL's port can be used. A URL may contain port 0, which no network policy accepts. */
function hasPort(value: string): boolean {
  return new URL(value).port !== "0";
}

/** Maximum repetitions of a part of a pattern in RE2, with nested repetitions multiplied. */
const MAX_REPETITIONS = 1000;

/**
 * Reports whether the value is a regular expression for both JavaScript and RE2. Accepts only a part of RE2's syntax:
 * the only group that begins with `(?` is `(?:`, and the only escapes are \d, \D, \w, \W, \s, \S and escaped
 * punctuation. The Prometheus Operator skips a PrometheusRule with an invalid pattern, so none of its alerts would
 * exist.
 */
export function isPattern(value: string): boolean {
  if (value === "" || /\(\?[^:]|\[\^?\]/.test(value)) return false;
  const escapes = [...value.matchAll(/\\(.?)/gs)].map(([, escaped = ""]) => escaped);
  if (!escapes.every((escaped) => /^[dDwWsS!-/:-@[-`{-~]$/.test(escaped))) return false;
  const counts = [...value.matchAll(/\{(\d*),?(\d*)\}/g)].map(([, min = "", max = ""]) => Number(max || min));
  if (counts.reduce((product, count) => product * Math.max(count, 1), 1) > MAX_REPETITIONS) return false;
  try {
    return new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}

/**
 * Reports whether the value is a URL that can receive messages in Slack's format. URLs of Slack itself must use
 * https://, URLs of compatible products may also use http://.
 */
export function isSlackUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (protocol === "http:" && !hostname.endsWith("slack.com"));
}

/** Description of `pushGateway.sourceRanges`. */
export const RANGES_OR_ANYWHERE = 'a list of IPv4 ranges, like [203.0.113.0/24], or "anywhere"';

/**
 * Maximum characters of a domain in a managed certificate
 * (cloud.google.com/kubernetes-engine/docs/how-to/managed-certs).
 */
const MAX_DOMAIN = 63;

/** Accepts domain names. The last label has only letters, so that an IPv4 address is rejected. */
export const domain = string(
  `a domain name of at most ${MAX_DOMAIN} characters, like push.example.com`,
  (value) => value.length <= MAX_DOMAIN && /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(value),
);
