import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";
import type { MailServer, Receivers } from "../monitoring-mixin/alertmanager/config.ts";
import {
  alertmanagerConfig,
  hasReceivers,
  messageTemplates,
  TEMPLATES,
} from "../monitoring-mixin/alertmanager/config.ts";
import { WORKLOADS } from "../lib/workloads.ts";
import type { WorkloadArgs } from "./conventions.ts";
import { workloadLabels, workload } from "./conventions.ts";
import { INSTANCE, managedInstance } from "./managed-instance.ts";
import type { Operator } from "./operator.ts";
import { scrape } from "./scrape.ts";
import { clusterService } from "./services.ts";

/** Receivers of alerts. Secrets are Outputs. */
export interface AlertReceivers extends Omit<Receivers, "webhookUrl" | "slackUrl" | "pagerDutyKey" | "smtp"> {
  /** Receives Alertmanager's JSON by POST; a secret, because such URLs often hold a token. */
  webhookUrl?: pulumi.Output<string>;
  /** Slack's incoming webhook; a secret. */
  slackUrl?: pulumi.Output<string>;
  /** PagerDuty's routing key; a secret. */
  pagerDutyKey?: pulumi.Output<string>;
  /** Mail server; its password is a secret. */
  smtp?: Omit<MailServer, "password"> & { password?: pulumi.Output<string> };
}

/** Arguments of the Alertmanager component. */
export interface AlertmanagerArgs extends Omit<WorkloadArgs, "address" | "sourceRanges"> {
  /** The operator that creates and deletes the pod. */
  operator: Operator;
  /** Receivers of alerts. */
  receivers: AlertReceivers;
  /** Minutes for which results of nightly runs are collected into one message. */
  collectMinutes: number;
}

const { name: NAME, port: PORT } = WORKLOADS.alertmanager;
/** Name of the Service's port, by which Prometheus finds Alertmanager. */
export const ALERTMANAGER_PORT_NAME = "web";

/** Fields of the Alertmanager resource's spec. */
const SPEC = {
  automountServiceAccountToken: false,
  // Time for which expired silences and entries of the notification log are kept. It must be longer than the longest
  // `repeat_interval`, one day: without its entry in the log, a message is repeated too early.
  retention: "120h",
  additionalArgs: [
    // By default, silences and the notification log are written every 15 minutes and at exit. A killed pod would lose
    // them, and its replacement would send messages again.
    { name: "data.maintenance-interval", value: "5s" },
    // Prometheus sends each alert again every minute. A new pod waits for that time before it sends messages, so that
    // it has received all alerts.
    { name: "dispatch.start-delay", value: "1m" },
  ],
  resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
};

/**
 * Runs one Alertmanager, which groups the alerts that Prometheus sends and notifies people. Silences and the
 * notification log are on a disk, so a new pod doesn't send a message again.
 */
export class Alertmanager extends pulumi.ComponentResource {
  /** URL inside the cluster. */
  readonly urlInCluster: pulumi.Output<string>;

  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:Alertmanager", name, {}, opts);
    const labels = workloadLabels(NAME, "alerting", args.image);
    const { namespace } = args;
    this.urlInCluster = pulumi.interpolate`http://${NAME}.${namespace}:${PORT}`;
    this.warnWithoutReceivers(args);

    const config = new Secret(
      `${name}-config`,
      {
        metadata: { name: `${NAME}-config`, namespace, labels: labels.all },
        stringData: { "alertmanager.yaml": configText(args), [TEMPLATES]: messageTemplates() },
      },
      { parent: this },
    );
    managedInstance(
      name,
      {
        ...args,
        kind: "Alertmanager",
        labels,
        externalUrl: this.urlInCluster,
        spec: { ...SPEC, configSecret: config.metadata.name },
        dependsOn: [config],
      },
      this,
    );
    clusterService(
      `${name}-service`,
      {
        serviceName: NAME,
        namespace,
        labels,
        selector: { alertmanager: INSTANCE },
        ports: [{ name: ALERTMANAGER_PORT_NAME, number: PORT }],
      },
      workload(this),
    );
    scrape(
      `${name}-monitor`,
      {
        namespace,
        serviceName: NAME,
        labels,
        ports: [ALERTMANAGER_PORT_NAME],
        crds: args.operator.crds,
      },
      { parent: this },
    );
    this.registerOutputs({ urlInCluster: this.urlInCluster });
  }

  private warnWithoutReceivers({ receivers }: AlertmanagerArgs): void {
    const { webhookUrl, slackUrl, pagerDutyKey, email } = receivers;
    const presence = (secret: unknown) => (secret === undefined ? undefined : "set");
    const keys = {
      webhookUrl: presence(webhookUrl),
      slackUrl: presence(slackUrl),
      pagerDutyKey: presence(pagerDutyKey),
    };
    if (hasReceivers({ ...keys, pagerDutyUrl: "", email })) return;
    void pulumi.log.info(
      "Nobody is notified of alerts; Grafana still shows them. Set alerts.email, or one of the secrets " +
        "alertWebhookUrl, alertSlackUrl and alertPagerDutyKey.",
      this,
    );
  }
}

/** Returns the configuration as JSON, which is also YAML. It is a secret because it contains secrets. */
function configText({ receivers, collectMinutes }: AlertmanagerArgs): pulumi.Output<string> {
  const { webhookUrl, slackUrl, pagerDutyKey, smtp } = receivers;
  const secrets = pulumi.all([webhookUrl, slackUrl, pagerDutyKey, smtp?.password]);
  return pulumi.secret(
    secrets.apply(([webhookUrl, slackUrl, pagerDutyKey, password]) => {
      const plain: Receivers = {
        ...receivers,
        webhookUrl,
        slackUrl,
        pagerDutyKey,
        smtp: smtp && { ...smtp, password },
      };
      return JSON.stringify(alertmanagerConfig(plain, collectMinutes), undefined, 2);
    }),
  );
}
