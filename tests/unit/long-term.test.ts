import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { alertGroups } from "../../monitoring-mixin/alerts/index.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { LOOKBACK_DAYS } from "../../monitoring-mixin/run-rules.ts";
import { DEFAULT_THRESHOLDS, type ExpectedRuns } from "../../monitoring-mixin/thresholds.ts";
import type { EndpointArgs } from "../../components/remote-write.ts";
import { messageFor } from "./configs.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled } from "./mocks.ts";
import { makeContent, makeOperator, shared, sourceRanges } from "./workloads.ts";

const STORE = {
  writeUrl: "https://mimir.example.com/api/v1/push",
  readUrl: "https://mimir.example.com/prometheus",
};

/** Returns a secret value as the SDK sends it to the engine (pulumi/sdk, specialSigKey). */
function secret(value: unknown): object {
  return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

describe("the configuration", () => {
  test.each<[string, Record<string, unknown>]>([
    ["a store without credentials", { longTerm: STORE }],
    ["a user and a password", { longTerm: { ...STORE, user: "k8sfv" }, longTermPassword: "hush" }],
    ["a bearer token", { longTerm: STORE, longTermToken: "eyJ.hush-_" }],
    ["the shortest retention", { longTerm: { ...STORE, localRetentionDays: LOOKBACK_DAYS } }],
    [
      "an additional remote-write receiver",
      { longTerm: STORE, remoteWrite: { url: "https://other.example.com/write" } },
    ],
    ...[
      "http://10.248.4.9:8480/insert/0/prometheus",
      "http://100.64.3.7:9009",
      "http://vmauth:8427",
      "http://thanos-query.thanos.svc:10902",
      "http://mimir.c.calico-test.internal",
    ].map((url): [string, Record<string, unknown>] => [
      `plain HTTP to ${url}`,
      { longTerm: { writeUrl: `${url}/api/v1/write`, readUrl: url } },
    ]),
  ])("accepts %s", (_, changes) => {
    expect(messageFor(changes)).toBe("no problem");
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      "a store without a URL for queries",
      { longTerm: { writeUrl: STORE.writeUrl } },
      "longTerm.readUrl is missing; allowed: an https:// URL",
    ],
    [
      "a store without a URL for remote write",
      { longTerm: { readUrl: STORE.readUrl } },
      "longTerm.writeUrl is missing; allowed: an https:// URL",
    ],
    [
      "a password inside a URL",
      { longTerm: { ...STORE, writeUrl: "https://u:hush@mimir.example.com/" } },
      'longTerm.writeUrl is "https://[secret]@mimir.example.com/"; allowed: an https:// URL without a user and password',
    ],
    ...[
      "http://mimir.example.com/",
      "http://mimir.examplelocal/",
      "http://203.0.113.9:9009/",
      "http://[2001:db8::1]/",
      "ftp://mimir/",
    ].flatMap((url): [string, Record<string, unknown>, string][] => [
      [`writing to ${url}`, { longTerm: { ...STORE, writeUrl: url } }, "longTerm.writeUrl is"],
      [`reading from ${url}`, { longTerm: { ...STORE, readUrl: url } }, "longTerm.readUrl is"],
    ]),
    ...["/api/v1", "/api/v1/query", "/?tenant=1", "/#x"].map(
      (path): [string, Record<string, unknown>, string] => [
        `a read URL with ${path}`,
        { longTerm: { ...STORE, readUrl: `https://mimir.example.com/prometheus${path}` } },
        "without a query and without /api/v1, which Grafana appends",
      ],
    ),
    [
      "the URL of remoteWrite as the store's URL for remote write",
      { longTerm: STORE, remoteWrite: { url: "https://MIMIR.example.com:443/api/v1/push" } },
      'longTerm.writeUrl is "https://mimir.example.com/api/v1/push"; allowed: a URL other than remoteWrite.url',
    ],
    [
      "a user without a password",
      { longTerm: { ...STORE, user: "k8sfv" } },
      "longTermPassword is missing; allowed: the password of longTerm.user",
    ],
    [
      "a password without a user",
      { longTerm: STORE, longTermPassword: "hush" },
      'longTermPassword is "[secret]"; allowed: no value unless longTerm.user is set',
    ],
    [
      "a token without a store",
      { longTermToken: "hush" },
      'longTermToken is "[secret]"; allowed: no value unless longTerm',
    ],
    [
      "a token together with a user",
      { longTerm: { ...STORE, user: "k8sfv" }, longTermPassword: "hush", longTermToken: "hush" },
      'longTermToken is "[secret]"; allowed: no value when longTerm.user is set',
    ],
    [
      "a token of two lines",
      { longTerm: STORE, longTermToken: "hush\nhush" },
      'longTermToken is "[secret]"; allowed: a bearer',
    ],
    [
      "a retention shorter than the rules look back",
      { longTerm: { ...STORE, localRetentionDays: LOOKBACK_DAYS - 1 } },
      `longTerm.localRetentionDays is ${LOOKBACK_DAYS - 1}; allowed: an integer from ${LOOKBACK_DAYS} to 1825`,
    ],
  ])("rejects %s", (_, changes, expected) => {
    const message = messageFor(changes);
    expect(message).toContain(expected);
    expect(message).not.toContain("hush");
  });
});

test("no rule has a longer lookback than the minimum local retention", () => {
  // Of all schedules, one with a single run per week needs the longest lookback.
  const weekly: ExpectedRuns = { codeLevels: "release-.*", days: ["mon"], by: "12:00" };
  const thresholds = { ...DEFAULT_THRESHOLDS, runMissingHours: 168, expectedRuns: [weekly] };
  const alerts = alertGroups({ thresholds, runbookUrl: "", grafanaLink: (path) => path });
  const exprs = [...recordingGroups(), ...alerts].flatMap(({ rules }) => rules.map(({ expr }) => expr));
  const lookBacks = exprs.flatMap((expr) =>
    [...expr.matchAll(/\[([^\]]+)\](?: offset (\w+))?|offset (\w+)/g)].map(
      ([, range = "", offset = "", alone = ""]) => days(range) + days(offset) + days(alone),
    ),
  );
  expect(lookBacks.length).toBeGreaterThan(20);
  expect(Math.max(...lookBacks)).toBe(LOOKBACK_DAYS);
});

/** Returns the days of a PromQL duration such as "7d12h"; 0 for "". */
function days(duration: string): number {
  const units: Record<string, number> = { m: 1 / 1440, h: 1 / 24, d: 1 };
  return [...duration.matchAll(/(\d+)([mhd])/g)].reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (units[unit] ?? NaN),
    0,
  );
}

describe("Prometheus", () => {
  async function makePrometheus(longTerm: EndpointArgs, remoteWrite?: EndpointArgs, retentionDays = 60) {
    const { Prometheus } = await import("../../components/prometheus.ts");
    const image = "example/prometheus:v3.16.0";
    const operator = await makeOperator();
    const own = { image, address: "10.248.1.6", operator, longTerm, remoteWrite, retentionDays };
    new Prometheus("prometheus", { ...shared, ...own });
    await settled(recorded);
    return named(recorded, "prometheus-instance").inputs.spec as { retention: string; remoteWrite: object[] };
  }
  const key = (name: string) => ({ name: "prometheus-long-term", key: name });

  test("writes to the store with a user and password in a Secret, and keeps samples for the local retention", async () => {
    const spec = await makePrometheus({ url: STORE.writeUrl, user: "k8sfv", password: "hush" });
    expect(spec.retention).toBe("1440h");
    expect(spec.remoteWrite).toEqual([
      {
        name: "long-term",
        url: STORE.writeUrl,
        basicAuth: { username: key("user"), password: key("password") },
        writeRelabelConfigs: [{ action: "labeldrop", regex: "prometheus|prometheus_replica" }],
      },
    ]);
    expect(JSON.stringify(spec)).not.toContain("hush");
    const { stringData } = named(recorded, "prometheus-long-term-secret").inputs;
    expect(stringData).toEqual(secret({ user: "k8sfv", password: "hush" }));
  });

  test("writes to the store with a bearer token, and to an additional remote-write receiver", async () => {
    const store = { url: STORE.writeUrl, token: "hush" };
    const spec = await makePrometheus(store, {
      url: "https://other.example.com/",
      user: "a",
      password: "hush",
    });
    expect(spec.remoteWrite).toMatchObject([
      { url: "https://other.example.com/", basicAuth: { password: { name: "prometheus-remote-write" } } },
      { url: STORE.writeUrl, authorization: { credentials: key("token") } },
    ]);
    expect(JSON.stringify(spec)).not.toContain("hush");
  });
});

describe("network policies", () => {
  async function egressOf(pods: string, writeUrl: string, readUrl: string) {
    const { NetworkPolicies } = await import("../../components/network-policies.ts");
    const where = { namespace: "monitoring", sourceRanges, apiRanges: ["10.250.16.0/28"] };
    new NetworkPolicies("policies", {
      ...where,
      serviceRange: "10.250.0.0/20",
      exposure: "internal",
      writeUrls: [writeUrl],
      readUrl,
      alertUrls: [],
    });
    await settled(recorded);
    const { spec } = named(recorded, `policies-${pods}`).inputs as { spec: { egress: object[] } };
    return spec.egress;
  }
  const to = (peers: object[], port: number) => ({ to: peers, ports: [{ protocol: "TCP", port }] });
  const host = [{ ipBlock: { cidr: "10.248.4.9/32" } }];

  test.each([
    ["prometheus", 8480],
    ["grafana", 8481],
  ])("let %s connect only to the store's address and port %d", async (pods, port) => {
    const egress = await egressOf(pods, "http://10.248.4.9:8480/write", "http://10.248.4.9:8481/read");
    expect(egress).toContainEqual(to(host, port));
    expect(egress.filter((rule) => JSON.stringify(rule).includes("10.248.4.9"))).toHaveLength(1);
    expect(egress.filter((rule) => (rule as { to: object[] }).to.length === 0)).toEqual([]);
  });

  test.each(["prometheus", "grafana"])(
    "let %s connect to the store's port on any address if the store's host is a name",
    async (pods) => {
      const egress = await egressOf(pods, STORE.writeUrl, STORE.readUrl);
      expect(egress).toContainEqual(to([], 443));
      expect(JSON.stringify(egress), "DNS").toContain('"port":53');
    },
  );
});

describe("Grafana", () => {
  const sourceOf = (name: string) => {
    const { jsonDataEncoded, ...inputs } = named(recorded, name).inputs;
    return { ...inputs, json: JSON.parse(String(jsonDataEncoded)) as unknown };
  };

  test("queries the store with a user and password, and Prometheus for alert rules", async () => {
    const content = await makeContent(recorded, {
      longTerm: { url: STORE.readUrl, user: "k8sfv", password: pulumi.secret("hush") },
    });
    expect(sourceOf("content-prometheus")).toMatchObject({
      uid: "my-prom",
      isDefault: true,
      url: STORE.readUrl,
      basicAuthEnabled: true,
      basicAuthUsername: "k8sfv",
      json: { manageAlerts: false },
    });
    const { secureJsonDataEncoded } = named(recorded, "content-prometheus").inputs;
    expect(secureJsonDataEncoded).toEqual(secret('{"basicAuthPassword":"hush"}'));
    const local = sourceOf("content-prometheus-local");
    expect(local).toMatchObject({
      uid: "my-prom-local",
      url: "http://prometheus.monitoring:9090",
      json: { manageAlerts: true },
    });
    expect(local).not.toHaveProperty("isDefault");
    // 4 = one folder and three data sources.
    expect(content.resources).toHaveLength(4 + Object.keys(dashboards(DEFAULT_THRESHOLDS)).length);
  });

  test("queries the store with a bearer token", async () => {
    await makeContent(recorded, { longTerm: { url: STORE.readUrl, token: "hush" } });
    expect(sourceOf("content-prometheus")).toMatchObject({
      httpHeaders: secret({ Authorization: "Bearer hush" }),
    });
  });

  test("has a single Prometheus data source if no store is configured", async () => {
    await makeContent(recorded);
    expect(recorded.map(({ name }) => name)).not.toContain("content-prometheus-local");
  });
});
