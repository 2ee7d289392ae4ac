import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import type { Receivers } from "../../monitoring-mixin/alertmanager/config.ts";
import { alertmanagerConfig, TEMPLATES } from "../../monitoring-mixin/alertmanager/config.ts";
import type { Alert } from "../../monitoring-mixin/alerts/index.ts";
import { alerts } from "../../monitoring-mixin/alerts/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";

const mixin = fileURLToPath(new URL("../../monitoring-mixin/alertmanager", import.meta.url));
const pagerDutyUrl = "https://events.pagerduty.com/v2/enqueue";

const receivers: Record<string, Receivers> = {
  none: { pagerDutyUrl, email: [] },
  all: {
    webhookUrl: "https://example.org/hook",
    slackUrl: "https://hooks.slack.com/services/T0/B0/x",
    pagerDutyKey: "0123456789abcdef0123456789abcdef",
    pagerDutyUrl,
    email: ["ci@example.org", "dev@example.org"],
    smtp: {
      host: "smtp.example.org:587",
      from: "k8sfv@example.org",
      user: "k8sfv",
      password: "hidden",
      requireTls: true,
    },
    heartbeatUrl: "https://hc-ping.com/UUID",
  },
};

let folder: string;
let amtool: string;

beforeAll(async () => {
  amtool = (await ensureToolchain({ only: ["amtool"] })).path("amtool");
  folder = await mkdtemp(path.join(tmpdir(), "k8sfv-alertmanager-"));
  await cp(path.join(mixin, TEMPLATES), path.join(folder, TEMPLATES));
  for (const [name, who] of Object.entries(receivers)) {
    await writeFile(path.join(folder, `${name}.yaml`), JSON.stringify(alertmanagerConfig(who, 180, folder)));
  }
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => execa(amtool, args, { cwd: folder, all: true, reject: false });

test.each(Object.keys(receivers))(
  "amtool check-config accepts the configuration for receivers: %s",
  async (name) => {
    const { all, exitCode } = await run("check-config", `${name}.yaml`);
    expect(exitCode, all).toBe(0);
    expect(all).toContain("1 templates");
  },
);

const RECEIVER = { nightly: "nightly", monitoring: "monitoring", heartbeat: "heartbeat" };

test.each(alerts(DEFAULT_THRESHOLDS).map((alert) => [alert.name, alert] as const))(
  "the alert %s is routed to the receiver of its kind",
  async (_, { name, kind, severity }) => {
    const labels = [`alertname=${name}`, `kind=${kind}`, `severity=${severity}`];
    const { stdout, exitCode, stderr } = await run(
      "config",
      "routes",
      "test",
      "--config.file=all.yaml",
      `--verify.receivers=${RECEIVER[kind]}`,
      ...labels,
    );
    expect(exitCode, stdout + stderr).toBe(0);
  },
);

/** Returns the data that Alertmanager passes to a template. */
function notification(
  firing: { alert: Alert; labels: Record<string, string>; summary: string }[],
  status = "firing",
) {
  const all = firing.map(({ alert, labels, summary }) => ({
    status,
    labels: { alertname: alert.name, kind: alert.kind, severity: alert.severity, ...labels },
    annotations: {
      summary,
      description: alert.description,
      runbook_url: `https://example.org/docs/operations.md#${alert.name.toLowerCase()}`,
      dashboard_url: `http://10.248.1.7:3000/d/${alert.panel.dashboard}?viewPanel=${alert.panel.id}`,
    },
  }));
  const common = (key: "labels" | "annotations") =>
    Object.fromEntries(
      Object.entries(all[0]?.[key] ?? {}).filter(([name, value]) =>
        all.every((one) => (one[key] as Record<string, string>)[name] === value),
      ),
    );
  return { status, alerts: all, commonLabels: common("labels"), commonAnnotations: common("annotations") };
}

async function render(template: string, data: object): Promise<string> {
  const file = path.join(folder, "data.json");
  await writeFile(file, JSON.stringify(data));
  const { stdout, exitCode, stderr } = await execa(
    amtool,
    [
      "template",
      "render",
      `--template.glob=${folder}/${TEMPLATES}`,
      `--template.text={{ template "${template}" . }}`,
      `--template.data=${file}`,
    ],
    { reject: false },
  );
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

const find = (name: string) => {
  const alert = alerts(DEFAULT_THRESHOLDS).find((one) => one.name === name);
  if (alert === undefined) throw new Error(`No alert ${name}`);
  return alert;
};
const LEVELS = ["felix master", "felix release-v3.30", "felix release-v3.31"];
/** Alerts about 300 failed tests in three code levels, with test names as long as Ginkgo's. */
const failed = Array.from({ length: 300 }, (_, n) => ({
  alert: find("TestFailed"),
  labels: { test_name: `test ${n}`, code_level: LEVELS[n % 3] ?? "" },
  summary: `projectcalico/${LEVELS[n % 3] ?? ""}: "with a k8s clientset with ${n} remote nodes <& more> should not leak memory${" [slow]".repeat(20)}" failed`,
}));
const missing = Array.from({ length: 7 }, (_, n) => ({
  alert: find("TestMissing"),
  labels: { test_name: `test ${n}`, code_level: "master" },
  summary: `master: "test ${n}" has no result`,
}));

test("a message about 300 failed tests has their number, the first names and links, and respects the receivers' limits", async () => {
  const data = notification([...failed, ...missing]);
  const title = await render("k8sfv.title", data);
  expect(title).toBe("Nightly runs: 300 TestFailed, 7 TestMissing");
  // A Slack message should have at most 4,000 characters (docs.slack.dev/reference/methods/chat.postMessage; see also
  // api.slack.com/reference/messaging/attachments).
  const slack = await render("k8sfv.slack", data);
  expect([...slack].length).toBeLessThan(4000);
  expect(slack).toContain("300 TestFailed\n- projectcalico/felix master: ");
  expect(slack).toContain("(5 of 300)");
  expect(slack).toContain("remote nodes &lt;&amp; more&gt; should");
  expect(slack).toContain("<http://10.248.1.7:3000/d/k8sfv-summary?viewPanel=2|Dashboard>");
  expect(slack).toContain("<https://example.org/docs/operations.md#testmissing|What to do>");
  const text = await render("k8sfv.text", data);
  expect(text).toContain("(5 of 7)");
  expect(text).toContain("remote nodes <& more> should");
  expect(text).toContain("What to do: https://example.org/docs/operations.md#testfailed");
  // PagerDuty's limits for a summary and an event: 1,024 characters and 512 kB (support.pagerduty.com, Events
  // API v2).
  expect(title.length).toBeLessThan(1024);
  expect(text.length).toBeLessThan(10_000);
});

test("a message about the monitoring system has summaries, the description and links", async () => {
  const down = ["grafana", "prometheus-operator"].map((job) => ({
    alert: find("TargetDown"),
    labels: { job },
    summary: `${job} has not answered for 5 minutes`,
  }));
  const data = notification(down);
  expect(await render("k8sfv.title", data)).toBe("grafana has not answered for 5 minutes (TargetDown: 2)");
  expect(await render("k8sfv.text", data)).toBe(
    [
      "- grafana has not answered for 5 minutes",
      "- prometheus-operator has not answered for 5 minutes",
      "Dashboard: http://10.248.1.7:3000/d/k8sfv-monitoring-health?viewPanel=6",
      "What to do: https://example.org/docs/operations.md#targetdown",
      find("TargetDown").description,
    ].join("\n"),
  );
  const resolved = notification(down.slice(0, 1), "resolved");
  expect(await render("k8sfv.title", resolved)).toBe("Resolved: grafana has not answered for 5 minutes");
});

test("a message about a single nightly result has one line", async () => {
  const data = notification(failed.slice(0, 1).map((one) => ({ ...one, summary: 'master: "leak" failed' })));
  expect(await render("k8sfv.title", data)).toBe("Nightly runs: 1 TestFailed");
  expect(await render("k8sfv.text", data)).toMatch(/^1 TestFailed\n- master: "leak" failed\nDashboard: /);
});
