import { isIPv4 } from "node:net";
import { LOOKBACK_DAYS } from "../monitoring-mixin/run-rules.ts";
import { isPrivate } from "./cidr.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";
import { integer, isWebUrl, object, string, userName } from "./types.ts";

/** Days in five years: the default of `longTerm.localRetentionDays`. */
const FIVE_YEARS_DAYS = 1825;

const STORE_URL =
  "an https:// URL without a user and password; http:// only to a private IPv4 address or to a name inside the " +
  "cluster or VPC (.svc, .local, .internal, or without a dot)";

/** Reports whether the value is a URL whose connection uses TLS or stays in private networks. */
function isStoreUrl(value: string): boolean {
  if (!isWebUrl(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === "https:" || (isIPv4(hostname) ? isPrivate(hostname) : isInternalName(hostname));
}

function isInternalName(hostname: string): boolean {
  return /^[a-z0-9-]+$|\.(svc|local|internal)$/.test(hostname);
}

/** Reports whether paths of Prometheus's HTTP API can be appended to the URL. */
function isBaseUrl(value: string): boolean {
  return isStoreUrl(value) && !/[?#]|\/api\/v1(\/|$)/.test(value);
}

/** Configuration keys of the long-term store, to which Prometheus sends all samples and from which Grafana reads. */
export const longTermKeys = {
  longTerm: object({
    writeUrl: string(STORE_URL, isStoreUrl).meta({
      description: "URL to which Prometheus sends all samples, by remote write.",
      examples: ["https://mimir.example.com/api/v1/push"],
    }),
    readUrl: string(
      `${STORE_URL}; without a query and without /api/v1, which Grafana appends`,
      isBaseUrl,
    ).meta({
      description:
        "Base URL of the store's Prometheus HTTP API, which Grafana's data source `my-prom` reads.",
      examples: ["https://mimir.example.com/prometheus"],
    }),
    user: userName(/^[^:\s]+$/)
      .optional()
      .meta({
        description: "User name for both URLs. The password is `longTermPassword`.",
        examples: ["k8sfv"],
      }),
    localRetentionDays: integer(
      LOOKBACK_DAYS,
      FIVE_YEARS_DAYS,
      ` (days); rules look back ${LOOKBACK_DAYS} days`,
    )
      .default(FIVE_YEARS_DAYS)
      .describe(
        "Days for which Prometheus keeps samples for its rules and alerts. Prometheus deletes older samples, so shorten " +
          "the retention only after the store has the history.",
      ),
  })
    .optional()
    .describe("A Prometheus-compatible store that keeps the history and answers Grafana's queries."),
  longTermPassword: string("a password", /./)
    .optional()
    .meta({ description: "Password of `longTerm.user`.", examples: ["…"] }),
  longTermToken: string("a bearer token: printable characters without spaces", /^[!-~]+$/)
    .optional()
    .meta({
      description: "Bearer token for both URLs of `longTerm`, instead of a user and password.",
      examples: ["a-token-of-the-store"],
    }),
};

/**
 * Checks that the long-term store has a user with a password, or a bearer token, or neither, and that its write URL
 * differs from `remoteWrite.url`.
 */
export function checkLongTerm(raw: unknown): Problem[] {
  const store = valueAt(raw, ["longTerm"]);
  const [passwordPath, tokenPath] = [["longTermPassword"], ["longTermToken"]];
  const user = valueAt(store, ["user"]);
  const [password, token] = [valueAt(raw, passwordPath), valueAt(raw, tokenPath)];
  const secret = (path: string[], allowed: string): Problem => ({ path, value: "[secret]", allowed });
  const problems: Problem[] = [];
  if (user !== undefined && password === undefined) {
    problems.push({
      path: passwordPath,
      value: undefined,
      allowed: "the password of longTerm.user, set with --secret",
    });
  }
  if (user === undefined && password !== undefined) {
    problems.push(secret(passwordPath, "no value unless longTerm.user is set"));
  }
  if (token !== undefined && store === undefined) {
    problems.push(secret(tokenPath, "no value unless longTerm is set"));
  }
  if (token !== undefined && user !== undefined) {
    problems.push(secret(tokenPath, "no value when longTerm.user is set: one kind of credentials"));
  }
  const writeUrl = valueAt(store, ["writeUrl"]);
  if (writeUrl !== undefined && sameUrl(writeUrl, valueAt(raw, ["remoteWrite", "url"]))) {
    const allowed = "a URL other than remoteWrite.url: the receiver would get each sample twice";
    problems.push({ path: ["longTerm", "writeUrl"], value: writeUrl, allowed });
  }
  return problems;
}

function sameUrl(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other].map((url) =>
    typeof url === "string" && URL.canParse(url) ? new URL(url).href : undefined,
  );
  return first !== undefined && first === second;
}
