import { isIPv4 } from "node:net";
import { LOOKBACK_DAYS } from "../monitoring-mixin/run-rules.ts";
import { overlap, parseCidr } from "./cidr.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";
import { group, isWebUrl, text, userName, whole } from "./types.ts";

/** Days in five years: the local retention unless `longTerm.localRetentionDays` says otherwise. */
const FIVE_YEARS_DAYS = 1825;

/** Address ranges that no packet on the internet has: RFC 1918, RFC 6598 (shared address space) and RFC 1122 (loopback). */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"];

const STORE_URL =
  "an https:// URL without a user and password; http:// only to a private IPv4 address or to a name inside the " +
  "cluster or VPC (.svc, .local, .internal, or without a dot)";

/** Whether samples and credentials reach the URL's host over TLS, or over plain HTTP without leaving private networks. */
function isStoreUrl(value: string): boolean {
  if (!isWebUrl(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (isIPv4(hostname) ? isPrivate(hostname) : isInternalName(hostname));
}

function isPrivate(address: string): boolean {
  const host = parseCidr(`${address}/32`);
  return PRIVATE.some((text) => {
    const range = parseCidr(text);
    return host !== undefined && range !== undefined && overlap(host, range);
  });
}

function isInternalName(hostname: string): boolean {
  return /^[a-z0-9-]+$|\.(svc|local|internal)$/.test(hostname);
}

/** Whether paths of Prometheus' HTTP API can be appended to the URL. */
function isBaseUrl(value: string): boolean {
  return isStoreUrl(value) && !/[?#]|\/api\/v1(\/|$)/.test(value);
}

/** The keys of the long-term store. */
export const longTermKeys = {
  longTerm: group({
    writeUrl: text(STORE_URL, isStoreUrl).meta({
      description: "Where Prometheus sends all that it stores, by remote write.",
      examples: ["https://mimir.example.com/api/v1/push"],
    }),
    readUrl: text(`${STORE_URL}; without a query and without /api/v1, which Grafana appends`, isBaseUrl).meta(
      {
        description:
          "Base URL of the store's Prometheus HTTP API, which Grafana's data source `my-prom` reads.",
        examples: ["https://mimir.example.com/prometheus"],
      },
    ),
    user: userName(/^[^:\s]+$/)
      .optional()
      .meta({
        description: "User name for both URLs; the password is `longTermPassword`.",
        examples: ["k8sfv"],
      }),
    localRetentionDays: whole(
      LOOKBACK_DAYS,
      FIVE_YEARS_DAYS,
      ` (days); rules look back ${LOOKBACK_DAYS} days`,
    )
      .default(FIVE_YEARS_DAYS)
      .describe(
        "Days that Prometheus itself keeps samples for its rules and alerts. Shorten it only after the older " +
          "history is in the store: Prometheus deletes it.",
      ),
  })
    .optional()
    .describe("A Prometheus-compatible store that keeps the history and answers Grafana's queries."),
  longTermPassword: text("a password", /./)
    .optional()
    .meta({ description: "Password of `longTerm.user`.", examples: ["…"] }),
  longTermToken: text("a bearer token: printable characters without spaces", /^[!-~]+$/)
    .optional()
    .meta({
      description: "Bearer token for both URLs of `longTerm`, instead of a user and password.",
      examples: ["a-token-of-the-store"],
    }),
};

/** Checks of the long-term store that concern more than one key. */
export function checkLongTerm(raw: unknown): Problem[] {
  const store = valueAt(raw, ["longTerm"]);
  const [passwordPath, tokenPath] = [["longTermPassword"], ["longTermToken"]];
  const user = valueAt(store, ["user"]);
  const [password, token] = [valueAt(raw, passwordPath), valueAt(raw, tokenPath)];
  const secret = (path: string[], allowed: string): Problem => ({ path, was: "[secret]", allowed });
  const problems: Problem[] = [];
  if (user !== undefined && password === undefined) {
    problems.push({
      path: passwordPath,
      was: undefined,
      allowed: "the password of longTerm.user, set with --secret",
    });
  }
  if (user === undefined && password !== undefined) {
    problems.push(secret(passwordPath, "nothing unless longTerm.user is given"));
  }
  if (token !== undefined && store === undefined) {
    problems.push(secret(tokenPath, "nothing unless longTerm is given"));
  }
  if (token !== undefined && user !== undefined) {
    problems.push(secret(tokenPath, "nothing when longTerm.user is given: one way to authenticate"));
  }
  const writeUrl = valueAt(store, ["writeUrl"]);
  if (writeUrl !== undefined && sameUrl(writeUrl, valueAt(raw, ["remoteWrite", "url"]))) {
    const allowed = "another URL than remoteWrite.url: the same receiver would get each sample twice";
    problems.push({ path: ["longTerm", "writeUrl"], was: writeUrl, allowed });
  }
  return problems;
}

function sameUrl(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other].map((url) =>
    typeof url === "string" && URL.canParse(url) ? new URL(url).href : undefined,
  );
  return first !== undefined && first === second;
}
