import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { alerts } from "../../monitoring-mixin/alert-rules.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import type { GrafanaContentArgs } from "../../components/grafana-content.ts";
import { DATA_SOURCE, dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled, valueOf } from "./mocks.ts";

interface Panel {
  id: number;
  title: string;
  description: string;
  type: string;
  datasource: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: { unit: string } };
  targets: { refId: string; expr: string; datasource: { uid: string } }[];
}

const all = Object.values(dashboards(DEFAULT_THRESHOLDS)).map((dashboard) => ({
  dashboard,
  panels: (dashboard.panels ?? []) as unknown as Panel[],
}));

describe.each(all.map(({ dashboard, panels }) => [dashboard.title, { dashboard, panels }] as const))(
  "the dashboard %s",
  (_, { dashboard, panels }) => {
    test("has panels, each with an id of its own, a description, a unit and a query", () => {
      expect(panels.length).toBeGreaterThan(5);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const panel of panels) {
        expect(panel.id, panel.title).toBeGreaterThan(0);
        expect(panel.description, panel.title).toMatch(/^[A-Z].{20,}\.$/);
        expect(panel.fieldConfig.defaults.unit, panel.title).toMatch(/./);
        expect(panel.targets.length, panel.title).toBeGreaterThan(0);
        for (const { expr } of panel.targets) expect(expr, panel.title).toMatch(/./);
      }
    });

    test("asks the one data source, everywhere", () => {
      const uids = JSON.stringify(dashboard).match(/"datasource":\{[^}]*\}/g) ?? [];
      expect(uids.length).toBeGreaterThan(panels.length);
      for (const uid of uids) {
        expect(JSON.parse(`{${uid}}`)).toEqual({ datasource: { type: "prometheus", uid: DATA_SOURCE } });
      }
      for (const panel of panels) expect(panel.datasource.uid, panel.title).toBe(DATA_SOURCE);
    });

    test("lies in the grid without overlap", () => {
      const taken = new Map<string, string>();
      for (const { title, gridPos } of panels) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.get(`${x},${y}`), `${title} lies over`).toBeUndefined();
            taken.set(`${x},${y}`, title);
          }
        }
      }
    });

    test("has no panel that newer Grafanas no longer have, and is not edited in the page", () => {
      expect(panels.map(({ type }) => type)).not.toContain("graph");
      expect(dashboard.editable).toBe(false);
      expect(dashboard.links).toMatchObject([{ type: "dashboards", tags: dashboard.tags }]);
    });
  },
);

test("the dashboards' uids are their own, and stay: they are in people's bookmarks", () => {
  expect(all.map(({ dashboard }) => dashboard.uid)).toEqual([
    "k8sfv-summary",
    "k8s-scale-testing",
    "k8sfv-monitoring-health",
  ]);
});

test("the summary reads what is kept of each run, never every scrape", () => {
  const { targets } = { targets: all[0]?.panels.flatMap((panel) => panel.targets) ?? [] };
  expect(targets.length).toBeGreaterThan(10);
  for (const { expr } of targets) expect(expr).not.toMatch(/(?<!run:)k8sfv_[a-z]/);
});

test.each([
  [2, "2m"],
  [150, "2h30m"],
  [180, "3h"],
  [720, "12h"],
])("%i minutes are %s to Grafana", async (minutes, text) => {
  const { duration } = await import("../../components/grafana-alerts.ts");
  expect(duration(minutes)).toBe(text);
});

test("every alert links to a panel that is there, and tells what it means", () => {
  const rules = alerts(DEFAULT_THRESHOLDS);
  expect(new Set(rules.map(({ uid }) => uid)).size).toBe(rules.length);
  for (const { title, panel, summary, description } of rules) {
    const found = all.find(({ dashboard }) => dashboard.uid === panel.dashboard);
    expect(
      found?.panels.map(({ id }) => id),
      title,
    ).toContain(panel.id);
    expect(summary.length, title).toBeGreaterThan(10);
    expect(description.length, title).toBeGreaterThan(30);
  }
});

test("recorded series have the names that panels and alerts ask for", () => {
  const recorded = recordingGroups().flatMap(({ rules }) => rules.map(({ record }) => record));
  const exprs = [
    ...all.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
    ...alerts(DEFAULT_THRESHOLDS).map(({ expr }) => expr),
  ];
  const asked = exprs.flatMap((expr) => expr.match(/\b(run|gateway|job|prometheus):[a-z0-9_:]+/g) ?? []);
  expect(asked.length).toBeGreaterThan(20);
  for (const name of asked) expect(recorded).toContain(name);
});

describe("what is put into Grafana", () => {
  let recorded: Recorded[];

  beforeEach(async () => {
    recorded = await mockEngine();
  });

  async function makeContent(
    contacts: GrafanaContentArgs["alerts"]["contacts"],
    thresholds = DEFAULT_THRESHOLDS,
  ) {
    const { GrafanaContent } = await import("../../components/grafana-content.ts");
    const { ServiceAccount } = await import("@pulumi/kubernetes/core/v1/serviceAccount.js");
    const content = new GrafanaContent("content", {
      url: pulumi.output("http://127.0.0.1:33000"),
      publicUrl: pulumi.output("http://10.248.1.7:3000"),
      user: "admin",
      password: pulumi.secret("generated"),
      prometheusUrl: "http://prometheus.monitoring:9090",
      prometheusVersion: "3.16.0",
      alerts: { thresholds, collectMinutes: 180, contacts },
      deployment: new ServiceAccount("stands for the Deployment"),
    });
    await settled(recorded);
    return content;
  }

  test("the data source that dashboards and people know", async () => {
    await makeContent({ email: [] });
    const { inputs } = named(recorded, "content-prometheus");
    expect(inputs).toMatchObject({
      name: "my-prom",
      uid: "my-prom",
      type: "prometheus",
      accessMode: "proxy",
      isDefault: true,
      url: "http://prometheus.monitoring:9090",
    });
    expect(JSON.parse(String(inputs.jsonDataEncoded))).toEqual({
      httpMethod: "POST",
      prometheusType: "Prometheus",
      prometheusVersion: "3.16.0",
      timeInterval: "10s",
      manageAlerts: false,
    });
  });

  test("what is worth an alert is what is red", async () => {
    await makeContent({ email: [] }, { runMissingHours: 50, occupancyGrowthPercent: 30, diskFullDays: 14 });
    const summary = String(named(recorded, "content-dashboard-summary").inputs.configJson);
    expect(summary).toContain("[50h]");
    for (const red of [50 * 3600, 0.3]) expect(summary).toContain(`{"value":${red},"color":"red"}`);
    const rules = JSON.stringify(
      recorded.filter(({ type }) => type === "grafana:alerting/ruleGroup:RuleGroup"),
    );
    expect(rules).toContain("> 180000");
    expect(rules).toContain("> 30");
  });

  test("dashboards in their folder, with addresses; an alert a group", async () => {
    const content = await makeContent({ email: [] });
    expect(await valueOf(pulumi.all(content.dashboards))).toMatchObject({
      "k8sfv summary": "http://10.248.1.7:3000/d/k8sfv-summary",
    });
    const groups = recorded.filter(({ type }) => type === "grafana:alerting/ruleGroup:RuleGroup");
    expect(groups.map(({ inputs }) => inputs.name)).toEqual(
      alerts(DEFAULT_THRESHOLDS).map(({ title }) => title),
    );
    expect(content.resources).toHaveLength(2 + 3 + groups.length);
  });

  test("nobody to tell: no contact point, and Grafana's own policy is left alone", async () => {
    await makeContent({ email: [] });
    expect(
      recorded.map(({ type }) => type).filter((type) => /contactPoint|notificationPolicy/.test(type)),
    ).toEqual([]);
  });

  test("who is told, and one message a night", async () => {
    await makeContent({
      webhookUrl: pulumi.secret("http://10.248.0.9:8080/hook"),
      slackUrl: pulumi.secret("https://hooks.slack.com/services/x"),
      email: ["ci@example.org"],
    });
    const contact = named(recorded, "content-alerts-contact").inputs;
    const mail = { addresses: ["ci@example.org"], singleEmail: true };
    expect(contact.emails).toEqual([{ ...mail, disableResolveMessage: false }]);
    const night = named(recorded, "content-alerts-contact-night").inputs;
    expect(night.emails, "that a night's alert grows old is no news").toEqual([
      { ...mail, disableResolveMessage: true },
    ]);
    // Secrets stay secrets: here the engine hands them over wrapped.
    expect(JSON.stringify(contact.webhooks)).toContain("10.248.0.9");
    expect(named(recorded, "content-alerts-policy").inputs).toMatchObject({
      contactPoint: "k8sfv",
      groupBies: ["grafana_folder"],
      policies: [
        {
          contactPoint: "k8sfv-night",
          matchers: [{ label: "kind", match: "=", value: "night" }],
          groupWait: "3h",
        },
      ],
    });
  });
});
