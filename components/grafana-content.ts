import * as pulumi from "@pulumi/pulumi";
import { DataSource } from "@pulumiverse/grafana/oss/dataSource.js";
import { Provider } from "@pulumiverse/grafana/provider.js";

/** What Grafana's content needs to know. */
export interface GrafanaContentArgs {
  /** Where Grafana's API is reached from here. */
  url: pulumi.Output<string>;
  /** The administrator's name. */
  user: string;
  /** The administrator's password. */
  password: pulumi.Output<string>;
  /** Where Grafana reaches Prometheus. */
  prometheusUrl: pulumi.Input<string>;
  /** What runs Grafana: the content needn't be deleted when this goes. */
  deployment: pulumi.Resource;
}

/** The data source's name, as the hand-built environment had it; also its id, for dashboards and links. */
export const DATA_SOURCE = "my-prom";

/** What is put into Grafana, through its own provider. */
export class GrafanaContent extends pulumi.ComponentResource {
  /** Everything that calls Grafana. */
  readonly resources: pulumi.Resource[];

  constructor(name: string, args: GrafanaContentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:grafana:Content", name, {}, opts);
    const provider = new Provider(
      `${name}-provider`,
      {
        url: args.url,
        auth: pulumi.secret(pulumi.interpolate`${args.user}:${args.password}`),
        // 20 times 3 s: the pod is ready before, but its way may not be.
        retries: 20,
        retryWait: 3,
        retryStatusCodes: ["429", "500", "502", "503", "504"],
      },
      { parent: this },
    );
    const dataSource = new DataSource(
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
          // The scrape's interval, so that rates span enough samples.
          timeInterval: "10s",
        }),
      },
      {
        parent: this,
        provider,
        deletedWith: args.deployment,
        deleteBeforeReplace: true,
      },
    );
    this.resources = [dataSource];
    this.registerOutputs({});
  }
}
