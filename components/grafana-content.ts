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

/** Arguments of the GrafanaContent component. */
export interface GrafanaContentArgs {
  /** URL of Grafana's API for this program. */
  url: pulumi.Output<string>;
  /** Grafana's URL for people, to which the dashboards' paths are added. */
  publicUrl: pulumi.Output<string>;
  /** User name of the administrator. */
  user: string;
  /** Password of the administrator. */
  password: pulumi.Output<string>;
  /** URL of Prometheus for Grafana. */
  prometheusUrl: pulumi.Input<string>;
  /** Base URL and credentials of the store that dashboards read instead of Prometheus. @default none */
  longTerm?: EndpointArgs;
  /** URL of Alertmanager for Grafana. */
  alertmanagerUrl: pulumi.Input<string>;
  /** Prometheus's version, e.g. "3.16.0": the query editor offers the functions of this version. */
  prometheusVersion: string;
  /** Thresholds at which panels turn red. */
  thresholds: AlertThresholds;
  /** Grafana's Deployment. When the Deployment is deleted, the engine deletes the content without calls to Grafana. */
  deployment: pulumi.Resource;
}

/**
 * Name and UID of the data source for Prometheus itself. It exists only if the dashboards' data source, `my-prom`, is
 * the long-term store.
 */
const LOCAL_SOURCE = "my-prom-local";

/** Creates the folder, data sources and dashboards through Grafana's provider. */
export class GrafanaContent extends pulumi.ComponentResource {
  /** All resources in Grafana. */
  readonly resources: pulumi.Resource[];
  /** Dashboard URLs by title. */
  readonly dashboards: Record<string, pulumi.Output<string>>;

  constructor(name: string, args: GrafanaContentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:grafana:Content", name, {}, opts);
    const provider = new Provider(
      `${name}-provider`,
      {
        url: args.url,
        auth: pulumi.secret(pulumi.interpolate`${args.user}:${args.password}`),
        // Retry because a Service may not route to a ready pod yet. Eight retries every 3 s take less than the
        // provider's request timeout of 30 s. The timeout's error would not contain Grafana's response.
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

  /** Creates the data source of all dashboards: Prometheus, or the long-term store. */
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

  /**
   * Creates a data source for Prometheus itself, which evaluates the alert rules. It is needed only if dashboards use
   * the long-term store.
   */
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

  /** Creates the data source for alerts and silences. */
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
        // Grafana-managed alerts aren't used, so none are forwarded.
        jsonDataEncoded: JSON.stringify({ implementation: "prometheus", handleGrafanaManagedAlerts: false }),
      },
      { ...opts, deleteBeforeReplace: true },
    );
  }
}

/** Returns the settings of a data source with Prometheus's HTTP API. */
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
      // The scrape interval. Grafana derives `$__rate_interval` from it, so that rates span enough samples.
      timeInterval: "10s",
      // Grafana shows the alert rules of Prometheus itself, not of the long-term store, and creates silences in the
      // Alertmanager `alertmanagerUid`.
      manageAlerts: longTerm === undefined || uid === LOCAL_SOURCE,
      alertmanagerUid: ALERTMANAGER_SOURCE,
    }),
  };
}

/** Returns a data source's credentials. Grafana encrypts the password or token, and its API doesn't return them. */
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
