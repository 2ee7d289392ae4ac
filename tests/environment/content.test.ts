import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alerts } from "../../alerts/rules.ts";
import { quantile } from "../../bench/statistics.ts";
import { dashboards } from "../../dashboards/index.ts";
import { openCloud, removeCloud, type Cloud } from "../../local/cluster/index.ts";
import { initStack, stackOutputs, type Engine } from "../../local/environment.ts";
import { startForwards, type LocalAddresses } from "../../local/forwards.ts";
import {
  askGrafana,
  askPanel,
  DAY_MS,
  defaultRange,
  fiveYears,
  openVariables,
  panelsOf,
  panelTimes,
  variableValues,
} from "../../local/panels.ts";
import type { GrafanaClient, Panel } from "../../local/panels.ts";
import { openLocalEnvironment } from "../../local/prepare.ts";
import { ciEnvironment, ciMachineCommand, runSample } from "../../local/sample.ts";
import { ask, loadHistory, loadSamples, metricsOf } from "../../local/prometheus-data.ts";
import type { HistoryRun } from "../../local/prometheus-data.ts";
import { alertStates, evaluated } from "./alert-states.ts";
import {
  byLevel,
  expected,
  labelsOf,
  mean,
  meanOf,
  median,
  oneOf,
  points,
  valuesOf,
  worstSum,
} from "./expected.ts";
import { WebhookReceiver } from "./webhook.ts";

const PORT = 8099;
const thresholds = { runMissingHours: 26, occupancyGrowthPercent: 10, diskFullDays: 14 };
const [summary, scaleTesting, health] = Object.values(dashboards()) as [Board, Board, Board];
type Board = ReturnType<typeof dashboards>[string];

/** Panels that show nothing when nothing bad has happened, or the environment is new. */
const MAY_BE_EMPTY = [
  "Last failed push",
  "Pushes refused",
  "Restarts",
  "Pushes",
  "Days until the disk is full",
];

/**
 * What people see in Grafana, with three weeks of made-up nights and one night that was really pushed.
 * Not proved here: how Grafana's pages draw it, since the local Grafana has none.
 */
describe("Grafana's content", () => {
  let cloud: Cloud;
  let engine: Engine;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  let grafana: GrafanaClient;
  let receiver: WebhookReceiver | undefined;
  let runs: HistoryRun[];

  beforeAll(async () => {
    await removeCloud(openCloud("test")); // what a killed run left
    ({ cloud, engine } = await openLocalEnvironment("test"));
    await initStack(cloud, engine);
    // The CI machine's address is the last that Google gives out of 10.248.0.0/20.
    const hook = `http://10.248.15.253:${PORT}/hook`;
    await engine.pulumi(["config", "set", "--secret", "alertWebhookUrl", hook]);
    await engine.pulumi(["config", "set", "--path", "alerts.collectMinutes", "2"]);
    await engine.pulumi(["up", "--yes", "--skip-preview"]);
    outputs = await stackOutputs(engine);
    addresses = await startForwards(cloud, outputs);
    grafana = { url: addresses.grafana, outputs };
    receiver = await WebhookReceiver.start(cloud, PORT);
    await runSample(cloud, outputs); // as dev
    const args = ["-nights", "21", "-felix", "-levels", "master,release-v3.31"];
    runs = await loadHistory(cloud, addresses.prometheus, args);
  });

  afterAll(async () => {
    receiver?.stop();
    await removeCloud(openCloud("test"));
  });

  it("has each dashboard at the address that the stack puts out", async () => {
    const put = outputs.DASHBOARDS as Record<string, string>;
    expect(Object.keys(put).sort()).toEqual([summary, scaleTesting, health].map(({ title }) => title).sort());
    for (const [title, url] of Object.entries(put)) {
      const { pathname } = new URL(url);
      const found = await askGrafana<{ dashboard: { title: string; panels: { id: number }[] } }>(
        grafana,
        pathname.replace("/d/", "/api/dashboards/uid/"),
      );
      expect(found.dashboard.title).toBe(title);
      // Alerts link to panels by their ids.
      expect(found.dashboard.panels.every(({ id }) => id > 0)).toBe(true);
    }
  });

  it("fires no alert over nights that were good", async () => {
    await evaluated(grafana);
    const states = await alertStates(grafana);
    expect(states.map(({ title }) => title).sort()).toEqual(
      alerts(thresholds)
        .map(({ title }) => title)
        .sort(),
    );
    const failing = runs.filter(({ night, passing }) => night === 20 && passing < 10);
    const deserved = failing.length > 0 ? ["Test fails"] : [];
    expect(states.filter(({ firing }) => firing > 0).map(({ title }) => title)).toEqual(deserved);
    for (const { title, health: state } of states) expect(state, title).toMatch(/^(ok|nodata)$/);
  });

  it.each([
    ["its own time", defaultRange],
    ["five years", () => fiveYears()],
  ])("answers every query of every panel, over %s", async (_, rangeOf) => {
    for (const dashboard of [summary, scaleTesting, health]) {
      const range = rangeOf(dashboard);
      const variables = await openVariables(grafana, dashboard, range);
      // Health of a Prometheus that is minutes old falls between two points of five years.
      const young = dashboard === health && range.to - range.from > 300 * DAY_MS;
      for (const panel of panelsOf(dashboard)) {
        const frames = await askPanel(grafana, panel, variables, range);
        if (young || MAY_BE_EMPTY.includes(panel.title)) continue;
        for (const { refId } of panel.targets) {
          const mine = frames.filter((frame) => frame.refId === refId);
          expect(mine.length, `${dashboard.title}, ${panel.title}, ${refId}`).toBeGreaterThan(0);
        }
      }
    }
  });

  it.each([
    ["its own time", defaultRange(summary)],
    ["five years", fiveYears()],
  ])("shows the numbers that the runs pushed, over %s", async (_, range) => {
    const variables = await openVariables(grafana, summary, range);
    const asked = (id: number) => askPanel(grafana, panelOf(summary, id), variables, range);
    for (const [level, mine] of byLevel(runs)) {
      const means = oneOf(await asked(5), level);
      expect(points(means)).toEqual(expected(means, mine, (run) => meanOf(run), mean));
      const passing = oneOf(await asked(4), level);
      expect(points(passing)).toEqual(expected(passing, mine, (run) => run.passing, worstSum(mine)));
      const change = oneOf(
        (await asked(8)).filter(({ refId }) => refId === "B"),
        level,
      );
      const last = mine.at(-1) as HistoryRun;
      const before = mine.slice(0, -1).filter(({ pushedAt }) => pushedAt > last.pushedAt - 7.5 * DAY_MS);
      expect(valuesOf(change)[0]).toBeCloseTo(meanOf(last) / median(before.map(meanOf)) - 1, 9);
      const bars = (await asked(9)).filter((frame) => labelsOf(frame).code_level === level);
      const heap = new Map(bars.map((frame) => [labelsOf(frame).step, valuesOf(frame)[0]]));
      last.occupancy[0]?.heapBytes.forEach((bytes, step) => {
        expect(heap.get(String(step).padStart(2, "0"))).toBe(bytes);
      });
    }
  });

  it("offers the values that there are, each variable by those before it", async () => {
    const [levels, tests] = summary.templating.list ?? [];
    const range = defaultRange(summary);
    const ofLevels = await variableValues(grafana, levels?.definition ?? "", {}, range);
    expect(ofLevels.sort()).toEqual([...byLevel(runs).keys(), "dev"].sort());
    const variables = { code_level: "master" };
    const ofTests = await variableValues(grafana, tests?.definition ?? "", variables, range);
    expect(ofTests.sort()).toEqual(Object.keys(runs[0]?.results ?? {}).sort());
    expect(await variableValues(grafana, tests?.definition ?? "", { code_level: "none" }, range)).toEqual([]);
  });

  it("opens each dashboard quickly, at five years too", async () => {
    for (const dashboard of [summary, scaleTesting, health]) {
      const range = fiveYears();
      const variables = await openVariables(grafana, dashboard, range);
      const times: number[] = [];
      for (let round = 0; round < 10; round++) {
        times.push(...(await panelTimes(grafana, dashboard, variables, range)));
      }
      const p95 = quantile(times, 0.95);
      console.log(`${dashboard.title}: 95 of 100 panels answer within ${Math.round(p95)} ms at five years`);
      // The aim is 300 ms on an idle machine; a test has to live with a busy one.
      expect(p95).toBeLessThan(2000);
    }
  });

  it("tells of everything that went wrong, in one message a night", async () => {
    const ci = async (...command: string[]) => {
      const [file, ...args] = await ciMachineCommand(cloud, command);
      return execa(file, args, { env: ciEnvironment(cloud, outputs), reject: false });
    };
    const push = (body: string) =>
      ci("curl", "--silent", "--data-binary", body, `${String(outputs.PROMPG_URL)}/metrics/job/k8sfv`);
    // master: two tests fail, those of the night before are missing, and much more is occupied.
    await ci("env", "CODE_LEVEL=master", "sample-run", "-fail", "2", "-value", "60000000");
    await push("this is no metric\n");
    await push("# TYPE go_goroutines counter\ngo_goroutines 1\n"); // the gateway's own is a gauge
    const now = Math.floor(Date.now() / 1000);
    const ago = (hours: number) => now - Math.round(hours * 3600);
    await loadSamples(cloud, addresses.prometheus, [
      "# TYPE run:k8sfv_test_push_time_seconds gauge",
      `run:k8sfv_test_push_time_seconds{code_level="release-v3.30"} ${ago(30)} ${ago(30)}`,
      "# TYPE up gauge",
      ...[240, 180, 120, 60, 0].map((seconds) => `up{job="stand-in"} 0 ${now - seconds}`),
      "# TYPE prometheus:disk_used_bytes gauge",
      // Half of the local disk's limit in four days. It has to have been there three days ago, all the time.
      ...[97, 84, ...Array.from({ length: 20 }, (_, n) => 72 - n / 60), 48, 24, 1].map(
        (hours) => `prometheus:disk_used_bytes ${1e9 + (97 - hours) * 4e7} ${ago(hours)}`,
      ),
    ]);
    const started = Date.now();
    const titles = alerts(thresholds).map(({ title }) => title);
    let firing: string[] = [];
    while (firing.length < titles.length && Date.now() < started + 150_000) {
      firing = (await alertStates(grafana)).filter((state) => state.firing > 0).map(({ title }) => title);
      await sleep(2000);
    }
    expect(firing.sort()).toEqual([...titles].sort());
    // A scrape, a rule's evaluation and an alert's: 10 s and twice 60 s at most.
    expect(Date.now() - started).toBeLessThan(140_000);

    await told(titles);
    const night = (receiver?.messages ?? []).filter(({ alerts: of }) =>
      of.some(({ labels }) => labels.kind === "night"),
    );
    expect(night).toHaveLength(1);
    const names = new Set(night[0]?.alerts.map(({ labels }) => labels.alertname));
    expect([...names].sort()).toEqual(
      alerts(thresholds)
        .filter(({ kind }) => kind === "night")
        .map(({ title }) => title)
        .sort(),
    );
    for (const { annotations, panelURL } of night[0]?.alerts ?? []) {
      expect(annotations.summary).not.toMatch(/<no value>|\{\{|^$/);
      expect(panelURL).toMatch(/\/d\/k8sfv-summary\?.*viewPanel=\d+/);
    }
    const summaries = night[0]?.alerts.map(({ annotations }) => annotations.summary ?? "") ?? [];
    expect(summaries.filter((text) => /^master: ".*" fails$/.test(text))).toHaveLength(2);
    expect(summaries.some((text) => /^master: felix occupies \d+\.\d % more in /.test(text))).toBe(true);
    expect(summaries.some((text) => text.startsWith("No run of release-v3.30 for 1d 6h"))).toBe(true);
  }, 600_000);

  it("asks only for metrics that there are", async () => {
    const exprs = [
      ...[summary, scaleTesting, health].flatMap((dashboard) =>
        panelsOf(dashboard).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ),
      ...alerts(thresholds).map(({ expr }) => expr),
    ].map((expr) => expr.replaceAll(/\$__(rate_)?interval|\$__range/g, "1h"));
    const known = new Set(await ask<string[]>(addresses.prometheus, "/label/__name__/values"));
    const names = new Set<string>();
    for (const expr of exprs) {
      for (const name of await metricsOf(addresses.prometheus, expr)) names.add(name);
    }
    expect(names.size).toBeGreaterThan(30);
    // A restart would have to happen first; its rule has a test of its own.
    names.delete("job:restarts:increase1m");
    expect([...names].filter((name) => !known.has(name))).toEqual([]);
  });

  it("has nothing to change when nothing changed", async () => {
    await engine.pulumi(["up", "--yes", "--expect-no-changes"]);
  });

  it("finds what was edited by hand, and puts it back", async () => {
    const path = `/api/dashboards/uid/${summary.uid}`;
    const { dashboard, meta } = await askGrafana<{
      dashboard: Record<string, unknown>;
      meta: { folderUid: string };
    }>(grafana, path);
    const edited = { ...dashboard, title: "Edited by hand" };
    await askGrafana(grafana, "/api/dashboards/db", {
      dashboard: edited,
      folderUid: meta.folderUid,
      overwrite: true,
    });
    const preview = await engine.pulumi(["preview", "--refresh", "--run-program", "--diff"]);
    expect(preview).toContain("Edited by hand");
    await engine.pulumi(["up", "--yes", "--skip-preview", "--refresh", "--run-program"]);
    const after = await askGrafana<{ dashboard: { title: string } }>(grafana, path);
    expect(after.dashboard.title).toBe(summary.title);
  });

  it("keeps the webhook's address a secret", async () => {
    const state = await engine.pulumi(["stack", "export"]);
    expect(state).not.toContain(`:${PORT}/hook`);
  });

  it("is destroyed when Grafana is gone", async () => {
    const kubectl = ["--kubeconfig", cloud.adminKubeconfig, "--namespace", "monitoring"];
    await execa("kubectl", [...kubectl, "delete", "deployment", "grafana"], {
      env: { PATH: `${cloud.binDir}:${process.env.PATH ?? ""}` },
    });
    await engine.pulumi(["destroy", "--yes", "--skip-preview"]);
  });

  /** Waits until the receiver was told of each of these. */
  async function told(titles: string[]): Promise<void> {
    const deadline = Date.now() + 240_000;
    const heard = () =>
      new Set(receiver?.messages.flatMap(({ alerts: of }) => of.map(({ labels }) => labels.alertname ?? "")));
    while (titles.some((title) => !heard().has(title))) {
      if (Date.now() > deadline) throw new Error(`Told of no more than ${[...heard()].join(", ")}`);
      await sleep(1000);
    }
  }
});

function panelOf(dashboard: Board, id: number): Panel {
  const found = panelsOf(dashboard).find((panel) => panel.id === id);
  if (found === undefined) throw new Error(`${dashboard.title} has no panel ${id}`);
  return found;
}
