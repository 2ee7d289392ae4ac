import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { AlertReceivers } from "../../components/alertmanager.ts";
import type { Recorded } from "./mocks.ts";
import { mockEngine, named, settled } from "./mocks.ts";
import { disk, makeOperator } from "./workloads.ts";

let recorded: Recorded[];

beforeEach(async () => {
  recorded = await mockEngine();
});

const nobody: AlertReceivers = { pagerDutyUrl: "https://events.pagerduty.com/v2/enqueue", email: [] };

async function makeAlertmanager(receivers: AlertReceivers) {
  const { Alertmanager } = await import("../../components/alertmanager.ts");
  new Alertmanager("alertmanager", {
    namespace: "monitoring",
    priorityClassName: "high",
    disk,
    image: "example/alertmanager:v0.35.0",
    operator: await makeOperator(),
    receivers,
    collectMinutes: 180,
  });
  await settled(recorded);
}

interface Wrapped {
  value: { "alertmanager.yaml": string; "messages.tmpl": string };
}

test("Alertmanager has one replica with its own disk and writes the notification log every few seconds", async () => {
  await makeAlertmanager(nobody);
  expect(named(recorded, "alertmanager-instance").inputs).toMatchObject({
    kind: "Alertmanager",
    metadata: { name: "k8sfv" },
    spec: {
      replicas: 1,
      version: "v0.35.0",
      priorityClassName: "high",
      automountServiceAccountToken: false,
      configSecret: "alertmanager-config",
      additionalArgs: [{ name: "data.maintenance-interval", value: "5s" }, { name: "dispatch.start-delay" }],
      securityContext: { runAsNonRoot: true },
    },
  });
  // The operator's StatefulSet uses the PersistentVolumeClaim with this name.
  expect(named(recorded, "alertmanager-disk-claim").inputs.metadata).toMatchObject({
    name: "data-alertmanager-k8sfv-0",
  });
  expect(named(recorded, "alertmanager-service").inputs.spec).not.toHaveProperty("type", "LoadBalancer");
});

test.each<[string, string, Partial<AlertReceivers>]>([
  ["reports", "without receivers", {}],
  ["reports", "with only a heartbeat", { heartbeatUrl: "https://hc-ping.com/UUID" }],
  ["doesn't report", "with an e-mail address", { email: ["ci@example.org"] }],
  ["doesn't report", "with a webhook", { webhookUrl: pulumi.secret("https://example.org/hook") }],
  ["doesn't report", "with PagerDuty", { pagerDutyKey: pulumi.secret("0123456789abcdef0123456789abcdef") }],
])("%s that nobody is notified of alerts %s", async (reports, _, receivers) => {
  const info = vi.spyOn(pulumi.log, "info").mockResolvedValue();
  onTestFinished(() => {
    info.mockRestore();
  });
  await makeAlertmanager({ ...nobody, ...receivers });
  const messages = info.mock.calls.map(([message]) => message);
  const isReported = messages.some((message) => message.startsWith("Nobody is notified of alerts"));
  expect(isReported).toBe(reports === "reports");
});

test("Alertmanager's configuration is a secret, because it contains secrets", async () => {
  const hidden = (text: string) => pulumi.secret(text);
  await makeAlertmanager({
    ...nobody,
    webhookUrl: hidden("https://example.org/hook-1"),
    slackUrl: hidden("https://hooks.slack.com/services/slack-1"),
    pagerDutyKey: hidden("0123456789abcdef0123456789abcdef"),
    email: ["ci@example.org", "dev@example.org"],
    smtp: {
      host: "smtp.example.org:587",
      from: "k8sfv@example.org",
      user: "k8sfv",
      password: hidden("password-1"),
      requireTls: true,
    },
    heartbeatUrl: "https://hc-ping.com/heartbeat-1",
  });
  const { stringData } = named(recorded, "alertmanager-config").inputs as unknown as { stringData: Wrapped };
  // The SDK passes a secret to the engine as an object with this key (pulumi/sdk, specialSigKey).
  expect(Object.keys(stringData)).toContain("4dabf18193072939515e22adb298388d");
  const config = JSON.parse(stringData.value["alertmanager.yaml"]) as {
    receivers: { name: string; [key: string]: unknown }[];
  };
  expect(config.receivers.map(({ name }) => name)).toEqual(["monitoring", "nightly", "heartbeat"]);
  const [monitoring, nightly, heartbeat] = config.receivers;
  expect(monitoring).toMatchObject({
    webhook_configs: [{ url: "https://example.org/hook-1", send_resolved: true }],
    slack_configs: [{ api_url: "https://hooks.slack.com/services/slack-1", send_resolved: true }],
    pagerduty_configs: [{ routing_key: "0123456789abcdef0123456789abcdef", send_resolved: true }],
    email_configs: [
      { to: "ci@example.org, dev@example.org", auth_password: "password-1", require_tls: true },
    ],
  });
  // When an alert about a nightly result is resolved, only PagerDuty gets a message, so that it closes its incident.
  expect(nightly).toMatchObject({
    webhook_configs: [{ send_resolved: false }],
    slack_configs: [{ send_resolved: false }],
    pagerduty_configs: [{ send_resolved: true }],
    email_configs: [{ send_resolved: false }],
  });
  expect(heartbeat).toMatchObject({ webhook_configs: [{ url: "https://hc-ping.com/heartbeat-1" }] });
});
