import * as pulumi from "@pulumi/pulumi";
import { Dashboard } from "@pulumiverse/grafana/oss/dashboard.js";
import { DataSource } from "@pulumiverse/grafana/oss/dataSource.js";
import { Folder } from "@pulumiverse/grafana/oss/folder.js";
import { Provider } from "@pulumiverse/grafana/provider.js";
import {
  ALERTMANAGER_SOURCE,
  DATA_SOURCE,
  dashboards,
  FOLDER,
} from "../monitoring-mixin/dashboards/index.ts";
import type { AlertThresholds } from "../monitoring-mixin/thresholds.ts";

export { DATA_SOURCE } from "../monitoring-mixin/dashboards/index.ts";

/** What Grafana's content needs to know. */
export interface GrafanaContentArgs {
  /** Where Grafana's API is reached from here. */
  url: pulumi.Output<string>;
  /** Where people reach Grafana: what the dashboards' addresses begin with. */
  publicUrl: pulumi.Output<string>;
  /** The administrator's name. */
  user: string;
  /** The administrator's password. */
  password: pulumi.Output<string>;
  /** Where Grafana reaches Prometheus. */
  prometheusUrl: pulumi.Input<string>;
  /** Where Grafana reaches Alertmanager. */
  alertmanagerUrl: pulumi.Input<string>;
  /** Prometheus's version, e.g. "3.16.0": what the query editor may offer. */
  prometheusVersion: string;
  /** Values from which on something is red. */
  thresholds: AlertThresholds;
  /** What runs Grafana: the content needn't be deleted when this goes. */
  deployment: pulumi.Resource;
}

/** What is put into Grafana, through its own provider. */
export class GrafanaContent extends pulumi.ComponentResource {
  /** Everything that calls Grafana. */
  readonly resources: pulumi.Resource[];
  /** Each dashboard's title with its address. */
  readonly dashboards: Record<string, pulumi.Output<string>>;

  constructor(name: string, args: GrafanaContentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:grafana:Content", name, {}, opts);
    const provider = new Provider(
      `${name}-provider`,
      {
        url: args.url,
        auth: pulumi.secret(pulumi.interpolate`${args.user}:${args.password}`),
        // The pod is ready before, but its way may not be. 8 times 3 s, since the provider ends a request after
        // 30 s, and then says no more than that; before that it says what Grafana answered.
        retries: 8,
        retryWait: 3,
        retryStatusCodes: ["429", "500", "502", "503", "504"],
      },
      { parent: this },
    );
    const inGrafana = { parent: this, provider, deletedWith: args.deployment };
    const dataSource = this.makeDataSource(name, args, inGrafana);
    const alertmanager = this.makeAlertmanagerSource(name, args, inGrafana);
    const folder = new Folder(`${name}-folder`, { title: FOLDER, uid: FOLDER }, inGrafana);
    const made = Object.entries(dashboards(args.thresholds)).map(([key, dashboard]) => ({
      title: dashboard.title,
      uid: dashboard.uid,
      resource: new Dashboard(
        `${name}-dashboard-${key}`,
        { folder: folder.uid, configJson: JSON.stringify(dashboard), overwrite: true },
        { ...inGrafana, dependsOn: [dataSource] },
      ),
    }));
    this.dashboards = Object.fromEntries(
      made.map(({ title, uid }) => [title, pulumi.interpolate`${args.publicUrl}/d/${uid}`]),
    );
    this.resources = [dataSource, alertmanager, folder, ...made.map(({ resource }) => resource)];
    this.registerOutputs({ dashboards: this.dashboards });
  }

  private makeDataSource(
    name: string,
    args: GrafanaContentArgs,
    opts: pulumi.CustomResourceOptions,
  ): DataSource {
    return new DataSource(
      `${name}-prometheus`,
      {
        type: "prometheus",
        name: DATA_SOURCE,
        uid: DATA_SOURCE,
        url: args.prometheusUrl,
        accessMode: "proxy",
        isDefault: true,
        jsonDataEncoded: JSON.stringify({
          httpMethod: "POST",
          prometheusType: "Prometheus",
          prometheusVersion: args.prometheusVersion,
          // The scrape's interval, so that rates span enough samples.
          timeInterval: "10s",
          // Grafana shows Prometheus' alert rules and their state, and silences them in this Alertmanager.
          manageAlerts: true,
          alertmanagerUid: ALERTMANAGER_SOURCE,
        }),
      },
      { ...opts, deleteBeforeReplace: true },
    );
  }

  /** Shows alerts and silences in Grafana. */
  private makeAlertmanagerSource(
    name: string,
    args: GrafanaContentArgs,
    opts: pulumi.CustomResourceOptions,
  ): DataSource {
    return new DataSource(
      `${name}-alertmanager`,
      {
        type: "alertmanager",
        name: ALERTMANAGER_SOURCE,
        uid: ALERTMANAGER_SOURCE,
        url: args.alertmanagerUrl,
        accessMode: "proxy",
        // Grafana's own alerts aren't used: none are forwarded.
        jsonDataEncoded: JSON.stringify({ implementation: "prometheus", handleGrafanaManagedAlerts: false }),
      },
      { ...opts, deleteBeforeReplace: true },
    );
  }
}
