import * as pulumi from "@pulumi/pulumi";
import { ContactPoint } from "@pulumiverse/grafana/alerting/contactPoint.js";
import { NotificationPolicy } from "@pulumiverse/grafana/alerting/notificationPolicy.js";
import { RuleGroup } from "@pulumiverse/grafana/alerting/ruleGroup.js";
import { DATA_SOURCE } from "../monitoring-mixin/dashboards/index.ts";
import type { Alert } from "../monitoring-mixin/alert-rules.ts";
import { alerts } from "../monitoring-mixin/alert-rules.ts";
import type { AlertThresholds } from "../monitoring-mixin/thresholds.ts";

/** Who is told of an alert; nobody is possible. */
export interface AlertContacts {
  /** Gets Grafana's JSON by POST; a secret, since such addresses often hold a token. */
  webhookUrl?: pulumi.Output<string>;
  /** Slack's incoming webhook; a secret. */
  slackUrl?: pulumi.Output<string>;
  /** E-mail addresses. */
  email: string[];
}

/** What the alerts need to know. */
export interface GrafanaAlertsArgs {
  /** The folder's uid. */
  folder: pulumi.Input<string>;
  /**
   * What has to be in Grafana first. Not `dependsOn` of the component: `pulumi refresh --run-program` fails at one
   * whose dependencies it didn't find (pulumi's step_generator.go, continueStepsFromRefresh).
   */
  after: pulumi.Resource[];
  /** From where on something is worth a message. */
  thresholds: AlertThresholds;
  /** Who is told. */
  contacts: AlertContacts;
  /** How long alerts of a night are collected before they go out as one message. */
  collectMinutes: number;
}

const CONTACT = "k8sfv";
/** How often rules are evaluated, in seconds: as often as the recording rules. */
const EVERY = 60;
/** Longer than all rules take to be evaluated once: what one failure sets off is one message. */
const TOGETHER = "1m30s";
/** A message is repeated when nobody did anything about it: not before the next morning. */
const REPEAT = "1d";

/** Grafana's own alerts, who is told of them, and how they are put together into messages. */
export class GrafanaAlerts extends pulumi.ComponentResource {
  /** Everything that calls Grafana. */
  readonly resources: pulumi.Resource[];

  constructor(name: string, args: GrafanaAlertsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:grafana:Alerts", name, {}, opts);
    const inGrafana = { parent: this, deletedWith: opts?.deletedWith, dependsOn: args.after };
    const groups = alerts(args.thresholds).map(
      (alert) =>
        new RuleGroup(
          `${name}-${alert.uid}`,
          { name: alert.title, folderUid: args.folder, intervalSeconds: EVERY, rules: [rule(alert)] },
          inGrafana,
        ),
    );
    this.resources = [...groups, ...this.notify(name, args, inGrafana)];
    this.registerOutputs({});
  }

  private notify(
    name: string,
    { contacts, collectMinutes }: GrafanaAlertsArgs,
    opts: pulumi.CustomResourceOptions,
  ): pulumi.Resource[] {
    const { webhookUrl, slackUrl, email } = contacts;
    if (webhookUrl === undefined && slackUrl === undefined && email.length === 0) {
      void pulumi.log.info(
        "Nobody is told of alerts: they are seen in Grafana alone. Set alerts.email, " +
          "or a secret alertWebhookUrl or alertSlackUrl, to have them sent.",
        this,
      );
      return [];
    }
    const contact = contactPoint(`${name}-contact`, { contacts, title: CONTACT, isToldOfEnd: true }, opts);
    // A night's alert ends by growing old: that is no news.
    const night = contactPoint(
      `${name}-contact-night`,
      { contacts, title: `${CONTACT}-night`, isToldOfEnd: false },
      opts,
    );
    const policy = new NotificationPolicy(
      `${name}-policy`,
      {
        contactPoint: contact.name,
        // All of the folder in one group: what is wrong at the same time is one message.
        groupBies: ["grafana_folder"],
        groupWait: TOGETHER,
        groupInterval: "5m",
        repeatInterval: REPEAT,
        policies: [
          {
            contactPoint: night.name,
            matchers: [{ label: "kind", match: "=", value: "night" }],
            groupBies: ["grafana_folder", "kind"],
            // The code levels run one after the other: one message when they are through.
            groupWait: duration(collectMinutes),
            groupInterval: duration(collectMinutes),
            repeatInterval: REPEAT,
          },
        ],
      },
      opts,
    );
    return [contact, night, policy];
  }
}

/** Who is told, and whether also when an alert is over. */
function contactPoint(
  name: string,
  { contacts, title, isToldOfEnd }: { contacts: AlertContacts; title: string; isToldOfEnd: boolean },
  opts: pulumi.CustomResourceOptions,
): ContactPoint {
  const { webhookUrl, slackUrl, email } = contacts;
  const disableResolveMessage = !isToldOfEnd;
  return new ContactPoint(
    name,
    {
      name: title,
      webhooks:
        webhookUrl === undefined
          ? undefined
          : [{ url: webhookUrl, httpMethod: "POST", disableResolveMessage }],
      slacks: slackUrl === undefined ? undefined : [{ url: slackUrl, disableResolveMessage }],
      emails:
        email.length === 0 ? undefined : [{ addresses: email, singleEmail: true, disableResolveMessage }],
    },
    opts,
  );
}

/** As Grafana writes it back, or there would be a change in every run: 150 minutes are "2h30m". */
export function duration(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours > 0 ? `${hours}h` : ""}${rest > 0 ? `${rest}m` : ""}`;
}

/** The alert as Grafana wants it: a query, and the condition that its value is above 0. */
function rule(alert: Alert) {
  return {
    // No uid: Grafana 10 takes a rule that has one for a change of a rule that is there, and gives an error.
    name: alert.title,
    for: "0s",
    condition: "B",
    // No series is nothing wrong. A Prometheus that doesn't answer is something wrong.
    noDataState: "OK",
    execErrState: "Error",
    labels: { kind: alert.kind },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      __dashboardUid__: alert.panel.dashboard,
      __panelId__: String(alert.panel.id),
    },
    datas: [
      {
        refId: "A",
        datasourceUid: DATA_SOURCE,
        relativeTimeRange: { from: 600, to: 0 },
        model: JSON.stringify({ refId: "A", expr: alert.expr, instant: true, range: false }),
      },
      {
        refId: "B",
        datasourceUid: "__expr__",
        relativeTimeRange: { from: 0, to: 0 },
        model: JSON.stringify({
          refId: "B",
          type: "threshold",
          expression: "A",
          conditions: [{ evaluator: { type: "gt", params: [0] } }],
        }),
      },
    ],
  };
}
