import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { DATA_SOURCE, dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { SUMMARY } from "../../monitoring-mixin/dashboards/panel-ids.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, valueOf } from "./mocks.ts";
import { makeContent } from "./workloads.ts";

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
  "dashboard %s",
  (_, { dashboard, panels }) => {
    test("has panels with unique IDs, descriptions, units and queries", () => {
      expect(panels.length).toBeGreaterThan(0);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      for (const panel of panels) {
        expect(panel.id, panel.title).toBeGreaterThan(0);
        expect(panel.description, panel.title).toMatch(/^[A-Z].{20,}\.$/);
        expect(panel.fieldConfig.defaults.unit, panel.title).toMatch(/./);
        expect(panel.targets.length, panel.title).toBeGreaterThan(0);
        for (const { expr } of panel.targets) expect(expr, panel.title).toMatch(/./);
      }
    });

    test("uses only the data source my-prom", () => {
      const uids = JSON.stringify(dashboard).match(/"datasource":\{[^}]*\}/g) ?? [];
      expect(uids.length).toBeGreaterThan(panels.length);
      for (const uid of uids) {
        expect(JSON.parse(`{${uid}}`)).toEqual({ datasource: { type: "prometheus", uid: DATA_SOURCE } });
      }
      for (const panel of panels) expect(panel.datasource.uid, panel.title).toBe(DATA_SOURCE);
    });

    test("has no overlapping panels", () => {
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

    test("has no panels of the deprecated type graph, is not editable, and links to the other dashboards", () => {
      expect(panels.map(({ type }) => type)).not.toContain("graph");
      expect(dashboard.editable).toBe(false);
      expect(dashboard.links).toMatchObject([{ type: "dashboards", tags: dashboard.tags }]);
    });
  },
);

test("dashboards have unique UIDs, which stay the same because people bookmark them", () => {
  expect(all.map(({ dashboard }) => dashboard.uid)).toEqual([
    "k8sfv-summary",
    "k8s-scale-testing",
    "k8sfv-monitoring-health",
  ]);
});

test("the summary dashboard queries series of recorded nightly runs, and no scraped series", () => {
  const summary = all.find(({ dashboard }) => dashboard.uid === SUMMARY.uid);
  const targets = summary?.panels.flatMap((panel) => panel.targets) ?? [];
  expect(targets.length).toBeGreaterThan(10);
  for (const { expr } of targets) expect(expr).not.toMatch(/(?<!nightly:)k8sfv_[a-z]/);
});

test("all alerts have a description and link to an existing panel", () => {
  const rules = alerts(DEFAULT_THRESHOLDS);
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  for (const { name, panel, summary, description } of rules) {
    const found = all.find(({ dashboard }) => dashboard.uid === panel.dashboard);
    expect(
      found?.panels.map(({ id }) => id),
      name,
    ).toContain(panel.id);
    expect(summary.length, name).toBeGreaterThan(10);
    expect(description.length, name).toBeGreaterThan(30);
  }
});

test("each recorded series that a panel or an alert queries has a recording rule", () => {
  const recorded = recordingGroups().flatMap(({ rules }) => rules.map(({ record }) => record));
  const exprs = [
    ...all.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
    ...alerts(DEFAULT_THRESHOLDS).map(({ expr }) => expr),
  ];
  const required = exprs.flatMap(
    (expr) => expr.match(/\b(run|nightly|gateway|job|prometheus):[a-z0-9_:]+/g) ?? [],
  );
  expect(required.length).toBeGreaterThan(20);
  for (const name of required) expect(recorded).toContain(name);
});

describe("Grafana's content", () => {
  let recorded: Recorded[];

  beforeEach(async () => {
    recorded = await mockEngine();
  });

  test("has my-prom as the default data source", async () => {
    await makeContent(recorded);
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
      manageAlerts: true,
      alertmanagerUid: "my-alertmanager",
    });
  });

  test("has Alertmanager as the data source of alerts and silences", async () => {
    await makeContent(recorded);
    const { inputs } = named(recorded, "content-alertmanager");
    expect(inputs).toMatchObject({
      name: "my-alertmanager",
      uid: "my-alertmanager",
      type: "alertmanager",
      url: "http://alertmanager.monitoring:9093",
    });
    expect(JSON.parse(String(inputs.jsonDataEncoded))).toEqual({
      implementation: "prometheus",
      handleGrafanaManagedAlerts: false,
    });
  });

  test("uses the configured thresholds of alerts in panels too", async () => {
    await makeContent(recorded, {
      thresholds: { ...DEFAULT_THRESHOLDS, runMissingHours: 50, occupancyGrowthPercent: 30 },
    });
    const summary = String(named(recorded, "content-dashboard-summary").inputs.configJson);
    expect(summary).toContain("> 180000");
    expect(summary).toContain('{"value":0.3,"color":"red"}');
    const alertExprs = alerts({ ...DEFAULT_THRESHOLDS, runMissingHours: 50, occupancyGrowthPercent: 30 });
    expect(alertExprs.map(({ expr }) => expr).join("\n")).toMatch(/> 180000 or[^]*> 30\n/);
  });

  test("creates dashboards in a folder and returns their URLs", async () => {
    const content = await makeContent(recorded);
    expect(await valueOf(pulumi.all(content.dashboards))).toMatchObject({
      "k8sfv summary": "http://10.248.1.7:3000/d/k8sfv-summary",
    });
    // 3 = one folder and two data sources.
    expect(content.resources).toHaveLength(3 + all.length);
  });
});
