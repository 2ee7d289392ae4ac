import { readFileSync } from "node:fs";

/** Mail server that Alertmanager sends e-mail by. */
export interface MailServer {
  /** Host and port, such as "smtp.example.org:587". Port 465 means TLS from the first byte, others STARTTLS. */
  host: string;
  /** The sender's address. */
  from: string;
  /** The user who signs in. @default no authentication */
  user?: string;
  /** That user's password. */
  password?: string;
  /** Whether mail is sent only over TLS. */
  requireTls: boolean;
}

/** Who is notified. */
export interface Receivers {
  /** Receives Alertmanager's JSON by POST. */
  webhookUrl?: string;
  /** Slack's incoming webhook. */
  slackUrl?: string;
  /** Routing key of PagerDuty's Events API v2. */
  pagerDutyKey?: string;
  /** URL of that API. */
  pagerDutyUrl: string;
  /** E-mail addresses. */
  email: string[];
  /** Required with `email`. */
  smtp?: MailServer;
  /** Receives a POST every two minutes for as long as alerts work. */
  heartbeatUrl?: string;
}

/** Whether anybody is notified of alerts, not counting the heartbeat. */
export function hasReceivers({ webhookUrl, slackUrl, pagerDutyKey, email }: Receivers): boolean {
  return [webhookUrl, slackUrl, pagerDutyKey].some((given) => given !== undefined) || email.length > 0;
}

/** Folder of the configuration and its templates, as the Prometheus Operator mounts it. */
const FOLDER = "/etc/alertmanager/config";
/** File name of the templates. */
export const TEMPLATES = "messages.tmpl";

/** The messages' templates. */
export function messageTemplates(): string {
  return readFileSync(new URL(TEMPLATES, import.meta.url), "utf8");
}

/**
 * Alertmanager's configuration (prometheus.io/docs/alerting/latest/configuration).
 *
 * @param receivers - who is notified
 * @param collectMinutes - how long results of nightly runs are collected into one message
 * @param folder - where the templates are
 */
export function alertmanagerConfig(receivers: Receivers, collectMinutes: number, folder = FOLDER): object {
  return {
    templates: [`${folder}/${TEMPLATES}`],
    route: {
      receiver: "monitoring",
      // What one cause sets off within half a minute is one message.
      group_by: ["alertname"],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "1d",
      routes: [
        {
          matchers: ['kind="heartbeat"'],
          receiver: "heartbeat",
          group_wait: "0s",
          group_interval: "1m",
          // Sent at the first group_interval after it, so every two minutes.
          repeat_interval: "90s",
        },
        {
          matchers: ['kind="nightly"'],
          receiver: "nightly",
          // The code levels run one after the other: one message when they are through.
          group_by: ["kind"],
          group_wait: `${collectMinutes}m`,
          group_interval: `${collectMinutes}m`,
          // Sent at the first group_interval after it, so once a day at the same time.
          repeat_interval: "23h",
        },
      ],
    },
    inhibit_rules: [
      {
        // Nobody can push to a Pushgateway that is down.
        source_matchers: ['alertname="TargetDown"', 'job="prom-gateway"'],
        target_matchers: ['alertname="NightlyRunMissing"'],
      },
      {
        // The Pushgateway answers 400 to a push that it finds inconsistent.
        source_matchers: ['alertname="PushFailed"'],
        target_matchers: ['alertname="PushRefused"', 'code="400"'],
      },
      {
        // A full Pushgateway answers 507.
        source_matchers: ['alertname="PushgatewayNearLimit"'],
        target_matchers: ['alertname="PushRefused"', 'code="507"'],
      },
    ],
    receivers: [
      receiver("monitoring", receivers, true),
      // Results end by growing old: that is no news.
      receiver("nightly", receivers, false),
      {
        name: "heartbeat",
        ...(receivers.heartbeatUrl !== undefined && {
          webhook_configs: [{ url: receivers.heartbeatUrl, send_resolved: false }],
        }),
      },
    ],
  };
}

/** The receiver of one kind of alerts, on every channel that is configured. */
function receiver(name: string, { webhookUrl, slackUrl, email, ...more }: Receivers, sendResolved: boolean) {
  const { pagerDutyKey, pagerDutyUrl, smtp } = more;
  const title = '{{ template "k8sfv.title" . }}';
  const dashboard = "{{ (index .Alerts 0).Annotations.dashboard_url }}";
  const send_resolved = sendResolved;
  return {
    name,
    ...(webhookUrl !== undefined && { webhook_configs: [{ url: webhookUrl, send_resolved }] }),
    ...(slackUrl !== undefined && {
      slack_configs: [
        {
          api_url: slackUrl,
          send_resolved,
          title,
          title_link: dashboard,
          fallback: title,
          text: '{{ template "k8sfv.slack" . }}',
          footer: "",
        },
      ],
    }),
    ...(pagerDutyKey !== undefined && {
      pagerduty_configs: [
        {
          routing_key: pagerDutyKey,
          url: pagerDutyUrl,
          // Always: it closes the incident. The next night would otherwise be added to a closed or forgotten one.
          send_resolved: true,
          description: title,
          severity: '{{ or .CommonLabels.severity "error" }}',
          client: "k8sfv-metrics",
          client_url: dashboard,
          // These replace the defaults, which have every alert with all its labels.
          details: { firing: '{{ template "k8sfv.text" . }}', resolved: "{{ .Alerts.Resolved | len }}" },
        },
      ],
    }),
    ...(email.length > 0 &&
      smtp !== undefined && {
        email_configs: [
          {
            to: email.join(", "),
            from: smtp.from,
            smarthost: smtp.host,
            require_tls: smtp.requireTls,
            ...(smtp.user !== undefined && { auth_username: smtp.user, auth_password: smtp.password }),
            send_resolved,
            headers: { Subject: title },
            html: "",
            text: '{{ template "k8sfv.text" . }}',
          },
        ],
      }),
  };
}
