import { readFileSync } from "node:fs";

/** Mail server through which Alertmanager sends e-mail. */
export interface MailServer {
  /** Host and port, such as "smtp.example.org:587". Port 465 uses implicit TLS, other ports use STARTTLS. */
  host: string;
  /** Address of the sender. */
  from: string;
  /** User name for authentication. @default no authentication */
  user?: string;
  /** Password of the user. */
  password?: string;
  requireTls: boolean;
}

/** Receivers of alerts. */
export interface Receivers {
  /** URL that receives Alertmanager's JSON by POST. */
  webhookUrl?: string;
  /** URL of Slack's incoming webhook. */
  slackUrl?: string;
  /** Routing key of PagerDuty's Events API v2. */
  pagerDutyKey?: string;
  /** URL of PagerDuty's Events API. */
  pagerDutyUrl: string;
  /** E-mail addresses. */
  email: string[];
  /** Mail server, required with `email`. */
  smtp?: MailServer;
  /** URL that receives a POST every two minutes while alerting works. */
  heartbeatUrl?: string;
}

/** Returns whether a receiver other than the heartbeat is configured. */
export function hasReceivers({ webhookUrl, slackUrl, pagerDutyKey, email }: Receivers): boolean {
  return [webhookUrl, slackUrl, pagerDutyKey].some((given) => given !== undefined) || email.length > 0;
}

/** Directory in which the Prometheus Operator mounts the configuration and its templates. */
const FOLDER = "/etc/alertmanager/config";
/** File name of the templates. */
export const TEMPLATES = "messages.tmpl";

export function messageTemplates(): string {
  return readFileSync(new URL(TEMPLATES, import.meta.url), "utf8");
}

/**
 * Returns Alertmanager's configuration (prometheus.io/docs/alerting/latest/configuration).
 *
 * @param receivers - receivers of alerts
 * @param collectMinutes - minutes for which results of nightly runs are collected into one message
 * @param folder - directory of the templates
 */
export function alertmanagerConfig(receivers: Receivers, collectMinutes: number, folder = FOLDER): object {
  return {
    templates: [`${folder}/${TEMPLATES}`],
    route: {
      receiver: "monitoring",
      // Alerts of the same name that start within half a minute often have one cause. They become one message.
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
          // Repeats are sent only at multiples of group_interval, which is 1m, so 90s means every two minutes.
          repeat_interval: "90s",
        },
        {
          matchers: ['kind="nightly"'],
          receiver: "nightly",
          // The code levels run one after the other. One message for all of them is sent `collectMinutes` after the
          // first alert, when all should have finished.
          group_by: ["kind"],
          group_wait: `${collectMinutes}m`,
          group_interval: `${collectMinutes}m`,
          // Repeats are sent only at multiples of group_interval. With its default of 3 hours, 23h is rounded up to 24
          // hours.
          repeat_interval: "23h",
        },
      ],
    },
    inhibit_rules: [
      {
        // If the Pushgateway is down, pushes fail and runs seem to be missing.
        source_matchers: ['alertname="TargetDown"', 'job="prom-gateway"'],
        target_matchers: ['alertname="NightlyRunMissing"'],
      },
      {
        // A push with inconsistent metrics gets status 400 and causes both alerts.
        source_matchers: ['alertname="PushFailed"'],
        target_matchers: ['alertname="PushRefused"', 'code="400"'],
      },
      {
        // A push to a full Pushgateway gets status 507. The alert about the storage names the cause.
        source_matchers: ['alertname="PushgatewayNearLimit"'],
        target_matchers: ['alertname="PushRefused"', 'code="507"'],
      },
    ],
    receivers: [
      receiver("monitoring", receivers, true),
      // Sends no messages about resolved alerts: alerts about results expire after a fixed time, even if the problem
      // still exists.
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

/** Returns the receiver of one kind of alerts, with all configured channels. */
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
          // Always true, because the message about resolved alerts closes the incident. Otherwise the next nightly
          // run's alerts would be added to the old incident.
          send_resolved: true,
          description: title,
          severity: '{{ or .CommonLabels.severity "error" }}',
          client: "k8sfv-metrics",
          client_url: dashboard,
          // Replaces the default details, which contain all labels of all alerts.
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
