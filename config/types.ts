import { isIPv4 } from "node:net";
import { z } from "zod";
import { overlap, parseCidr } from "./cidr.ts";

/** A string that fulfils `check`; `allowed` says in words what is allowed. */
export function text(allowed: string, check: RegExp | ((value: string) => boolean)) {
  const fulfils = (value: string) => (check instanceof RegExp ? check.test(value) : check(value));
  return z.string({ error: allowed }).refine(fulfils, { error: allowed });
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, unit = "") {
  const error = `a whole number from ${least} to ${most}${unit}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
}

/** Yes or no. */
export function flag(byDefault: boolean) {
  return z.boolean({ error: "true or false" }).default(byDefault);
}

/** One of these words. */
export function choice<const Word extends string>(...words: [Word, ...Word[]]) {
  const quoted = words.map((word) => `"${word}"`);
  const error = [quoted.slice(0, -1).join(", "), quoted.at(-1)].join(" or ");
  return z.enum(words, { error });
}

/** A map whose keys are all known. */
export function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: objectProblem(Object.keys(shape)) });
}

function objectProblem(keys: string[]) {
  return (issue: { code?: string }) =>
    issue.code === "invalid_type" ? `a map with keys of ${keys.join(", ")}` : undefined;
}

export function cidr(least: number, most: number) {
  const allowed =
    least === most
      ? `an IPv4 range of prefix /${least} whose address is its first, like 10.250.16.0/28`
      : `an IPv4 range with a prefix from /${least} to /${most} whose address is its first, like 10.248.0.0/20`;
  return text(allowed, (value) => {
    const range = parseCidr(value);
    return range !== undefined && range.bitmask >= least && range.bitmask <= most;
  });
}

/** Ranges that no subnetwork may have: cloud.google.com/vpc/docs/subnets#prohibited-ranges. */
const PROHIBITED = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/** A range of a subnetwork. */
export function subnetworkRange(least: number, most: number) {
  return cidr(least, most).refine(
    (value) => {
      const range = parseCidr(value);
      return !PROHIBITED.some((text) => {
        const prohibited = parseCidr(text);
        return range !== undefined && prohibited !== undefined && overlap(range, prohibited);
      });
    },
    { error: `a range outside those that no subnetwork may have (${PROHIBITED.join(", ")})` },
  );
}

/**
 * A list of ranges that may connect. None is wider than a /8, the widest private range (10.0.0.0/8): several wider ones
 * would be the whole internet (0.0.0.0/1 and 128.0.0.0/1).
 */
export function sourceRanges(error: string, min: number) {
  return z.array(cidr(8, 32), { error }).min(min, { error });
}

export const address = text("an IPv4 address, like 10.248.1.4", isIPv4);

/** RFC 1035 as Google's compute API wants it; `most` characters. */
export function googleName(most: number, why = "") {
  return text(
    `a name Google takes: lower-case letters, digits and dashes, a letter first, no dash last, ` +
      `1 to ${most} characters${why}`,
    new RegExp(`^[a-z]([a-z0-9-]{0,${most - 2}}[a-z0-9])?$`),
  );
}

const IMAGE_NAME = "[a-z0-9]+([./_:-]+[a-z0-9]+)*";
/** A tag that can also be the value of a label, as which it is shown. */
const TAG = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?";
const DIGEST = "@sha256:[0-9a-f]{64}";

export const image = text(
  "an image with a tag, a digest or both, like quay.io/prometheus/pushgateway:v1.11.1",
  new RegExp(`^${IMAGE_NAME}(:${TAG}(${DIGEST})?|${DIGEST})$`),
);

/** The operator reads Prometheus's version, which its flags depend on, from the tag, and refuses anything else. */
export const versionedImage = text(
  "an image whose tag is a version, with or without a digest, like quay.io/prometheus/prometheus:v3.16.0",
  new RegExp(`^${IMAGE_NAME}:v?[0-9]+[.][0-9]+[.][0-9]+(-[a-z0-9.]+)?(${DIGEST})?$`),
);

export const crds = text(
  "an https:// URL of a folder without a user and password, or an absolute path of one; ${NAME} in it stands for a " +
    "variable of the environment",
  (value) => (value.includes("://") ? isHttpsUrl(value) : /^(\/|\$\{)/.test(value)),
);

function isHttpsUrl(value: string): boolean {
  if (!value.startsWith("https://") || !URL.canParse(value)) return false;
  const { hostname, username, password } = new URL(value);
  return hostname.includes(".") && username === "" && password === "";
}

/** A user's name. One of digits alone is a number in the stack's file (`pulumi config set --path`). */
export function userName(check: RegExp) {
  const asText = (value: unknown) => (Number.isSafeInteger(value) ? String(value) : value);
  return z.preprocess(asText, text("a user's name", check));
}

export function url(protocols: string[], example: string) {
  return text(
    `a URL, like ${example}`,
    (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol) && hasPort(value),
  );
}

export function isWebUrl(value: string): boolean {
  return /^https?:\/\/[^/?#@]+([/?#]|$)/.test(value) && URL.canParse(value) && hasPort(value);
}

/** URLs may name port 0, which nothing listens on and no network policy takes. */
function hasPort(value: string): boolean {
  return new URL(value).port !== "0";
}

/** Whether a text is a regular expression. Prometheus' RE2 knows no look-around and no back references, so neither may it. */
export function isPattern(value: string): boolean {
  try {
    return value !== "" && !/\(\?[=!<]|\\[1-9]/.test(value) && new RegExp(value) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Whether it is a URL for Slack's messages. Other products take them too, inside a private network also by http. */
export function isSlackUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (protocol === "http:" && !hostname.endsWith("slack.com"));
}

export const RANGES_OR_ANYWHERE = 'a list of IPv4 ranges, like [203.0.113.0/24], or "anywhere"';

/** Characters that Google's managed certificates take (cloud.google.com/kubernetes-engine/docs/how-to/managed-certs). */
const MAX_DOMAIN = 63;

/** Labels of letters, digits and inner dashes; the last one of letters, so that it is no address. */
export const domain = text(
  `a domain name of at most ${MAX_DOMAIN} characters, like push.example.com`,
  (value) => value.length <= MAX_DOMAIN && /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(value),
);
