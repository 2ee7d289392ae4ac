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
import type { EndpointArgs } from "./remote-write.ts";

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
  /** Base URL and credentials of the store that dashboards read instead of Prometheus. @default none */
  longTerm?: EndpointArgs;
  /** Where Grafana reaches Alertmanager. */
  alertmanagerUrl: pulumi.Input<string>;
  /** Prometheus's version, e.g. "3.16.0": what the query editor may offer. */
  prometheusVersion: string;
  /** Values from which on something is red. */
  thresholds: AlertThresholds;
  /** What runs Grafana: the content needn't be deleted when this goes. */
  deployment: pulumi.Resource;
}

/** Name and uid of the data source of Prometheus itself, where `my-prom` is the long-term store. */
const LOCAL_SOURCE = "my-prom-local";

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
    const local = args.longTerm === undefined ? [] : [this.makeLocalSource(name, args, inGrafana)];
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
    this.resources = [dataSource, ...local, alertmanager, folder, ...made.map(({ resource }) => resource)];
    this.registerOutputs({ dashboards: this.dashboards });
  }

  /** The data source of all dashboards: Prometheus, or the long-term store. */
  private makeDataSource(
    name: string,
    args: GrafanaContentArgs,
    opts: pulumi.CustomResourceOptions,
  ): DataSource {
    return new DataSource(
      `${name}-prometheus`,
      {
        ...prometheusSource(DATA_SOURCE, args),
        isDefault: true,
        ...(args.longTerm === undefined
          ? { url: args.prometheusUrl }
          : { url: args.longTerm.url, ...authentication(args.longTerm) }),
      },
      { ...opts, deleteBeforeReplace: true },
    );
  }

  /** Shows the alert rules, which only Prometheus itself evaluates, while dashboards read the long-term store. */
  private makeLocalSource(
    name: string,
    args: GrafanaContentArgs,
    opts: pulumi.CustomResourceOptions,
  ): DataSource {
    return new DataSource(
      `${name}-prometheus-local`,
      { ...prometheusSource(LOCAL_SOURCE, args), url: args.prometheusUrl },
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

/** Settings of a data source that answers Prometheus' HTTP API. */
function prometheusSource(uid: string, { longTerm, prometheusVersion }: GrafanaContentArgs) {
  return {
    type: "prometheus",
    name: uid,
    uid,
    accessMode: "proxy",
    jsonDataEncoded: JSON.stringify({
      httpMethod: "POST",
      prometheusType: "Prometheus",
      prometheusVersion,
      // The scrape's interval, so that rates span enough samples.
      timeInterval: "10s",
      // Grafana shows Prometheus' alert rules and their state, and silences them in this Alertmanager.
      manageAlerts: longTerm === undefined || uid === LOCAL_SOURCE,
      alertmanagerUid: ALERTMANAGER_SOURCE,
    }),
  };
}

/** Credentials as Grafana stores them: encrypted in its database, and not returned by its API. */
function authentication({ user, password, token }: EndpointArgs) {
  if (user !== undefined && password !== undefined) {
    const secrets = pulumi.jsonStringify({ basicAuthPassword: password });
    return {
      basicAuthEnabled: true,
      basicAuthUsername: user,
      secureJsonDataEncoded: pulumi.secret(secrets),
    };
  }
  if (token === undefined) return {};
  return { httpHeaders: pulumi.secret({ Authorization: pulumi.interpolate`Bearer ${token}` }) };
}
