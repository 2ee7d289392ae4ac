import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { alerts } from "../../monitoring-mixin/alert-rules.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { panelsOf } from "../../local/panels.ts";
import { ask, loadSamples, metricsOf } from "../../local/prometheus-data.ts";
import { ciEnvironment, ciMachineCommand } from "../../local/sample.ts";
import { alertStates, evaluated } from "./alert-states.ts";
import { HOOK_PORT, useContent } from "./content.ts";

/** What Grafana tells people of, by a webhook: nothing after good nights, everything after one that went wrong. */
describe("Grafana's alerts", () => {
  const content = useContent();

  it("fires no alert over nights that were good", async () => {
    const { grafana, runs } = content;
    await evaluated(grafana);
    const states = await alertStates(grafana);
    expect(states.map(({ title }) => title).sort()).toEqual(
      alerts(DEFAULT_THRESHOLDS)
        .map(({ title }) => title)
        .sort(),
    );
    // A night's results are alerts for 17 h (monitoring-mixin/alert-rules.ts).
    const since = Date.now() - 17 * 3_600_000;
    const failing = runs.filter(({ pushedAt, passing }) => pushedAt > since && passing < 10);
    const deserved = failing.length > 0 ? ["Test fails"] : [];
    expect(states.filter(({ firing }) => firing > 0).map(({ title }) => title)).toEqual(deserved);
    for (const { title, health: state } of states) expect(state, title).toMatch(/^(ok|nodata)$/);
  });

  it("tells of everything that went wrong, in one message a night", async () => {
    const { cloud, outputs, addresses, grafana, receiver } = content;
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
      // Half of the local disk's limit in four days, up to an hour ago. So many that what Prometheus really uses, a
      // sample a minute since it is there, doesn't turn the line round.
      ...Array.from({ length: 24 * 60 }, (_, n) => 97 - n / 15).map(
        (hours) => `prometheus:disk_used_bytes ${1e9 + (97 - hours) * 4e7} ${ago(hours)}`,
      ),
    ]);
    const started = Date.now();
    const titles = alerts(DEFAULT_THRESHOLDS).map(({ title }) => title);
    let firing: string[] = [];
    while (firing.length < titles.length && Date.now() < started + 150_000) {
      firing = (await alertStates(grafana)).filter((state) => state.firing > 0).map(({ title }) => title);
      await sleep(2000);
    }
    expect(firing.sort()).toEqual([...titles].sort());
    // A scrape, a rule's evaluation and an alert's: 10 s and twice 60 s at most.
    expect(Date.now() - started).toBeLessThan(140_000);

    await told(titles);
    const night = receiver.messages.filter(({ alerts: of }) =>
      of.some(({ labels }) => labels.kind === "night"),
    );
    expect(night).toHaveLength(1);
    const names = new Set(night[0]?.alerts.map(({ labels }) => labels.alertname));
    expect([...names].sort()).toEqual(
      alerts(DEFAULT_THRESHOLDS)
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
    const { addresses } = content;
    const exprs = [
      ...Object.values(dashboards(DEFAULT_THRESHOLDS)).flatMap((dashboard) =>
        panelsOf(dashboard).flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ),
      ...alerts(DEFAULT_THRESHOLDS).map(({ expr }) => expr),
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

  it("keeps the webhook's address a secret", async () => {
    const { engine } = content;
    const state = await engine.pulumi(["stack", "export"]);
    expect(state).not.toContain(`:${HOOK_PORT}/hook`);
  });

  /** Waits until the receiver was told of each of these. */
  async function told(titles: string[]): Promise<void> {
    const deadline = Date.now() + 240_000;
    const heard = () =>
      new Set(
        content.receiver.messages.flatMap(({ alerts: of }) => of.map(({ labels }) => labels.alertname ?? "")),
      );
    while (titles.some((title) => !heard().has(title))) {
      if (Date.now() > deadline) throw new Error(`Told of no more than ${[...heard()].join(", ")}`);
      await sleep(1000);
    }
  }
});
