import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Cloud,
  type LocalAddresses,
  killHost,
  listNodes,
  openCloud,
  removeCloud,
  startForwards,
} from "k8sfv-local-cloud";
import { basicAuth } from "../../lib/grafana.ts";
import {
  CHANNELS,
  expectWithinLimits,
  nightlyMessages,
  type PagerDutyBody,
  type SlackBody,
} from "./alert-messages.ts";
import { kill, pidsOf, podOf, untilReady } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { RECEIVER_CONFIG, Receivers } from "./receivers.ts";
import { openTestStack } from "./stack.ts";
import { usage, usageDuring } from "./usage.ts";

const CLOUD = "alerts";
/**
 * Value of alerts.collectMinutes: minutes for which Alertmanager collects alerts about nightly results before it sends
 * a message. Three pushes, and the restart and move of Alertmanager's pod, take less time.
 */
const COLLECT = 6;
const LEVELS = ["master", "release-v3.30", "release-v3.31"].map(
  (branch) => `https://github.com/projectcalico/felix.git-${branch}`,
);

/**
 * Tests alerts from a push to the receivers. Prometheus and Alertmanager are the real programs; the receivers
 * are programs of this test, which check the documented limits. Does not prove that Slack, PagerDuty and mail
 * servers accept the messages, nor mail over TLS.
 */
describe("alerts", () => {
  let cloud: Cloud;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  let receivers: Receivers;
  let showState: () => Promise<string>;

  beforeAll(async () => {
    const stack = await openTestStack(CLOUD);
    cloud = stack.cloud;
    await stack.set({ ...RECEIVER_CONFIG.plain, "alerts.collectMinutes": COLLECT });
    for (const [key, value] of Object.entries(RECEIVER_CONFIG.secret)) {
      await stack.engine.pulumi(["config", "set", "--secret", key, value]);
    }
    showState = () => stack.engine.pulumi(["stack", "export"]);
    outputs = await stack.up();
    addresses = await startForwards(cloud, outputs);
    receivers = await Receivers.start(cloud);
  });

  afterAll(async () => {
    await receivers.stop();
    await removeCloud(openCloud(CLOUD));
  });

  const push = async (group: string, body: string) =>
    (await fetch(`${addresses.pushGateway}/metrics/job/${group}`, { method: "PUT", body })).status;
  const kubectl = (...args: string[]) =>
    execa(path.join(cloud.binDir, "kubectl"), [
      ...["--kubeconfig", cloud.adminKubeconfig, "--namespace", "monitoring"],
      ...args,
    ]);
  /** Returns the number of alerts in Alertmanager that match the label matchers. */
  const countAlerts = async (...matchers: string[]) => {
    const filters = matchers.map((one) => `filter=${encodeURIComponent(one)}`);
    const url = `${addresses.alertmanager}/api/v2/alerts?${filters.join("&")}`;
    return ((await (await fetch(url)).json()) as unknown[]).length;
  };
  const nightly = () => receivers.webhook("kind", "nightly");

  it("encrypts the receivers' URLs, keys and passwords in the state", async () => {
    const state = await showState();
    for (const secret of Object.values(RECEIVER_CONFIG.secret)) expect(state).not.toContain(secret);
  });

  it("shows alerts in Grafana through its data source", async () => {
    const url = `${addresses.grafana}/api/alertmanager/my-alertmanager/api/v2/alerts`;
    await eventually(
      async () => {
        const response = await fetch(url, { headers: basicAuth(outputs) });
        return (await response.json()) as { labels: { alertname: string } }[];
      },
      (found) => found.some(({ labels }) => labels.alertname === "Watchdog"),
    );
  });

  it("ignores pushed series that imitate the environment's own metrics, whatever their job", async () => {
    const body = "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 4e9\nup 0\nseen 1\n";
    const own = ["prometheus", "alertmanager", "grafana", "prom-gateway", "prom-gateway/instance/a"];
    for (const group of ["anything", ...own]) expect(await push(group, body), group).toBe(202);
    await eventually(
      () => query(addresses.prometheus, "seen"),
      (found) => found.length > 0 && found.every(({ metric }) => metric.job === "anything"),
    );
    // Waits for a scrape, a recording rule and an alert rule, which take at most 10 + 60 + 60 s. The test doesn't
    // delete the pushed groups, so they also exist during the tests below.
    await sleep(130_000);
    expect(await query(addresses.prometheus, 'ALERTS{alertname="TargetDown"}')).toEqual([]);
    expect(await query(addresses.prometheus, "job:restarts:increase1m")).toEqual([]);
    expect(await query(addresses.prometheus, 'up{job="prometheus"}')).toHaveLength(1);
    expect(
      await query(addresses.prometheus, 'pushgateway_http_requests_total{job="prom-gateway"}'),
    ).not.toEqual([]);
  }, 300_000);

  it("sends an alert about the monitoring system within two minutes to all receivers, and inhibits a second one with the same cause", async () => {
    const started = Date.now();
    // The metric has another type than the Pushgateway's own metric of that name, so the Pushgateway rejects
    // the push and records it as failed. The push proxy would reject it earlier, so this push bypasses the
    // proxy.
    const inconsistent = "# TYPE go_goroutines counter\ngo_goroutines 1\n";
    expect(await pushInPod("k8sfv", inconsistent)).toBe("400");
    await receivers.until(() => receivers.webhook("alertname", "PushFailed")[0], 180_000);
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log("PushFailed arrived", seconds, "s after the push");
    // A scrape, the alert rule, and the delays of Prometheus and Alertmanager take 10 + 60 + 5 + 30 s, plus a margin.
    expect(seconds).toBeLessThan(120);
    const failed = (where: string) =>
      receivers.of(where).filter(({ body }) => body.includes("A push to the Pushgateway failed"));
    for (const where of CHANNELS) await receivers.until(() => failed(where)[0], 30_000);
    expect(await push("k8sfv", inconsistent)).toBe(400);
    const refused = expect.poll(() => countAlerts('alertname="PushRefused"', 'code="400"'), {
      timeout: 180_000,
    });
    await refused.toBe(1);
    // Waits longer than Alertmanager's group_wait. If PushFailed did not inhibit PushRefused, Alertmanager would send a
    // message about PushRefused in this time.
    await sleep(60_000);
    expect(receivers.webhook("alertname", "PushRefused")).toEqual([]);
    expect(receivers.webhook("alertname", "PushFailed")).toHaveLength(1);
    for (const where of CHANNELS) expect(failed(where), where).toHaveLength(1);

    const [slack] = failed("/slack").map(({ body }) => JSON.parse(body) as SlackBody);
    expect(slack?.attachments[0]?.title).toBe("A push to the Pushgateway failed");
    expect(slack?.attachments[0]?.text).toContain(
      `<${String(outputs.GRAFANA_URL)}/d/k8sfv-monitoring-health`,
    );
    const [event] = failed("/pagerduty").map(({ body }) => JSON.parse(body) as PagerDutyBody);
    expect(event).toMatchObject({ event_action: "trigger", payload: { severity: "warning" } });
    const [mail] = failed("mail");
    expect(mail?.to).toEqual(["ci@example.org", "dev@example.org"]);
    expect(mail?.body).toContain("What to do: docs/operations.md#pushfailed");
  }, 400_000);

  it("sends one message about 300 failed tests in 3 code levels, although Alertmanager is killed and moved", async () => {
    // Alerts must not depend on Grafana. Therefore Grafana stays down until a later test starts it again.
    await kubectl("scale", "deployment", "grafana", "--replicas=0");
    const started = Date.now();
    for (const level of LEVELS) {
      const results = Array.from({ length: 100 }, (_, n) => resultOf(level, n)).join("");
      expect(await push("k8sfv", `# TYPE k8sfv_test_result gauge\n${results}`)).toBe(202);
      // Waits until the run is recorded, after a scrape and an evaluation of the rules.
      await sleep(75_000);
    }
    const arrives = expect.poll(() => countAlerts('alertname="TestFailed"'), {
      timeout: 120_000,
      interval: 2000,
    });
    await arrives.toBe(300);
    expect(nightly(), "no message while results are collected").toEqual([]);
    await kill(cloud, "alertmanager", "bin/alertmanager");
    await sleep(2_000);
    await moveAlertmanager();
    expect(nightly(), "no message because of the new pod").toEqual([]);
    const peak = usageDuring(
      cloud,
      receivers.until(() => nightly()[0], (COLLECT + 4) * 60_000),
    );
    const { mib = 0, cpu = 0 } = (await peak).get("alertmanager") ?? {};
    console.log("one message", Math.round((Date.now() - started) / 1000), "s after the first push");
    console.log(`alertmanager with 300 alerts, peak: ${mib.toFixed(1)} MiB, ${cpu.toFixed(1)} m of CPU`);
    for (const where of CHANNELS) await receivers.until(() => nightlyMessages(receivers, where)[0], 30_000);

    const [message] = nightly();
    expect(message?.alerts.filter(({ labels }) => labels.alertname === "TestFailed")).toHaveLength(300);
    expectWithinLimits(receivers);
    // Alertmanager writes its notification log to its disk every 5 s, because components/alertmanager.ts sets
    // `data.maintenance-interval`. The test waits for that before it kills the process and moves the pod again;
    // otherwise Alertmanager would not know that it has sent the message.
    await sleep(6_000);
    await kill(cloud, "alertmanager", "bin/alertmanager");
    await moveAlertmanager();
    await sleep((COLLECT + 1.5) * 60_000);
    expect(await countAlerts('alertname="TestFailed"')).toBe(300);
    expect(nightly(), "no message is sent twice").toHaveLength(1);
    for (const where of CHANNELS) expect(nightlyMessages(receivers, where), where).toHaveLength(1);
    expect(receivers.refused()).toEqual([]);
  }, 2_400_000);

  it("uses no more memory than Alertmanager's container requests, with 300 alerts", async () => {
    const { mib, cpu } = (await usage(cloud)).get("alertmanager") ?? { mib: 0, cpu: 0 };
    console.log(`alertmanager: ${mib.toFixed(1)} MiB, ${cpu.toFixed(1)} m of CPU`);
    const { spec } = await podOf(cloud, "alertmanager");
    const container = spec?.containers.find(({ name }) => name === "alertmanager");
    expect(mib).toBeGreaterThan(1);
    expect(mib).toBeLessThan(Number.parseInt(container?.resources?.requests?.memory ?? "0"));
  });

  it("sends an alert about Grafana while Grafana is down, and another message when the alert is resolved", async () => {
    const found = (status: string) => () =>
      receivers.webhook("job", "grafana").find((message) => message.status === status);
    await receivers.until(found("firing"), 9 * 60_000);
    await kubectl("scale", "deployment", "grafana", "--replicas=1");
    await untilReady(cloud, "grafana");
    await receivers.until(found("resolved"), 9 * 60_000);
  }, 1_500_000);

  it("posts a heartbeat every two minutes", () => {
    const at = receivers.of("/heartbeat").map((message) => message.at / 1000);
    const gaps = at.slice(1).map((time, n) => time - (at[n] ?? 0));
    console.log("heartbeat gaps in s:", gaps.map((gap) => gap.toFixed(0)).join(" "));
    expect(gaps.length).toBeGreaterThan(4);
    // Each of the two restarts and the two moves of the pod may delay a heartbeat.
    expect(gaps.filter((gap) => gap < 110 || gap > 130).length).toBeLessThanOrEqual(4);
    // docs/alerts.md recommends that the heartbeat service expects a POST every 5 minutes.
    expect(Math.max(...gaps)).toBeLessThan(300);
  });

  it("sends no heartbeat after everything is stopped", async () => {
    for (const { name } of await listNodes(cloud)) await killHost(cloud, name);
    const stopped = Date.now();
    await sleep(270_000);
    expect(receivers.of("/heartbeat", stopped + 2_000)).toEqual([]);
  }, 600_000);

  /** Pushes to the Pushgateway inside its pod, bypassing the proxy. @returns the response's status */
  async function pushInPod(group: string, body: string): Promise<string> {
    const [pid] = await pidsOf(cloud, "prom-gateway");
    const url = `http://127.0.0.1:9092/metrics/job/${group}`;
    const push = `fetch("${url}", { method: "PUT", body: process.argv[1] }).then((r) => console.log(r.status))`;
    const inPod = ["--target", String(pid), "--net", "--"];
    const { stdout } = await execa("nsenter", [...inPod, process.execPath, "-e", push, body]);
    return stdout;
  }

  /** Deletes Alertmanager's pod without a grace period, and waits until a new pod is ready on another node. */
  async function moveAlertmanager(): Promise<void> {
    const { spec, metadata } = await podOf(cloud, "alertmanager");
    await kubectl("cordon", spec?.nodeName ?? "");
    await kubectl("delete", "pod", metadata?.name ?? "", "--grace-period=0", "--force");
    const moved = await untilReady(cloud, "alertmanager");
    await kubectl("uncordon", spec?.nodeName ?? "");
    expect(moved.spec?.nodeName).not.toBe(spec?.nodeName);
  }
});

function resultOf(level: string, n: number): string {
  const name = `with a k8s clientset with ${n} remote nodes should not leak memory [slow]`;
  return `k8sfv_test_result{test_name="${name}",code_level="${level}"} 0\n`;
}
