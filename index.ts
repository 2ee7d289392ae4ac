import "./stack-traces.ts";
import * as google from "@pulumi/gcp/provider.js";
import * as kubernetes from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { AlertRules } from "./components/alert-rules.ts";
import { Alertmanager } from "./components/alertmanager.ts";
import { Addresses } from "./components/addresses.ts";
import { Apis } from "./components/apis.ts";
import { Cluster } from "./components/cluster.ts";
import { imageVersion } from "./components/conventions.ts";
import { Disks } from "./components/disks.ts";
import { FelixScrape } from "./components/felix-scrape.ts";
import { openGrafanaAccess } from "./components/grafana-access.ts";
import { GrafanaContent } from "./components/grafana-content.ts";
import { Grafana, GRAFANA_PORT } from "./components/grafana.ts";
import { Namespace } from "./components/namespace.ts";
import { NetworkPolicies } from "./components/network-policies.ts";
import { Network } from "./components/network.ts";
import { CRD_FILES, readCrds, SCRAPE_CONFIG_CRD_FILES } from "./components/operator-crds.ts";
import { Operator } from "./components/operator.ts";
import { Prometheus } from "./components/prometheus.ts";
import { PushEntrance } from "./components/push-entrance.ts";
import { PushGateway } from "./components/push-gateway.ts";
import { RecordingRules } from "./components/recording-rules.ts";
import { tunnelCommand } from "./lib/tunnel-command.ts";
import { stackLabels } from "./components/stack-labels.ts";
import { loadConfig } from "./config.ts";
import { images as pinned } from "./versions.ts";

const config = loadConfig();
const images = { ...pinned, ...config.images };
const { project, region, zone, ciSourceRanges: sourceRanges } = config;
// Names in Google Cloud begin with the cluster's name. Labels contain the stack's name.
const prefix = config.cluster.name;
const labels = stackLabels(pulumi.getStack());

// Google Cloud: the network, the cluster, and the addresses and disks, which survive the cluster's replacement.
const cloud = new google.Provider("google", { project, region, zone });
const inCloud = { providers: [cloud] };
// If a CRD is missing or has a wrong checksum, the program fails here, before it creates anything in Google Cloud.
const crds = await readCrds(config.crds, {
  ...CRD_FILES,
  ...(config.felix === undefined ? {} : SCRAPE_CONFIG_CRD_FILES),
});
const apis = new Apis("apis", { project }, inCloud).services;
const network = new Network(
  "network",
  {
    ...config.network,
    project,
    region,
    networkName: config.network.name ?? prefix,
    existingVpc: config.network.vpc,
    apis,
  },
  inCloud,
);
const addresses = new Addresses(
  "addresses",
  { prefix, region, subnetworkLink: network.subnetworkLink, labels, ...config.addresses },
  inCloud,
);
const disks = new Disks("disks", { ...config.disks, prefix, region, zone, labels, apis }, inCloud);
const cluster = new Cluster(
  "cluster",
  {
    ...config.cluster,
    project,
    zone,
    clusterName: prefix,
    labels,
    controlPlaneCidr: config.network.controlPlaneCidr,
    network,
    apis,
  },
  inCloud,
);

// In the cluster: the operator, Prometheus, the Pushgateway, Grafana and Alertmanager.
const api = new kubernetes.Provider(
  "kubernetes",
  { kubeconfig: cluster.kubeconfig, clusterIdentifier: cluster.identifier },
  // When the cluster is replaced, the engine must delete the old workloads while the old API server still runs. It does
  // so only if it also replaces this provider, hence `replaceOnChanges`. A new kubeconfig for the same cluster replaces
  // the provider, but keeps the workloads. Without the constant `clusterIdentifier`, the provider itself would request
  // its replacement. Then the engine would replace the workloads too, but close the old provider before it deletes
  // them, so the deletion would fail ("the client connection is closing").
  { replaceOnChanges: ["kubeconfig"] },
);
const inCluster = { providers: [api] };
const { namespaceName: namespace, priorityClassName } = new Namespace(
  "namespace",
  { nodes: cluster.nodes },
  inCluster,
);
const { exposure, auth, domain, sourceRanges: externalRanges } = config.pushGateway;
const remoteWrite = config.remoteWrite && { ...config.remoteWrite, password: config.remoteWritePassword };
const longTerm = config.longTerm && {
  ...config.longTerm,
  password: config.longTermPassword,
  token: config.longTermToken,
};
new NetworkPolicies(
  "network-policies",
  {
    namespace,
    sourceRanges,
    apiRanges: [config.network.primaryCidr, config.network.controlPlaneCidr].filter(
      (range) => range !== undefined,
    ),
    serviceRange: config.network.serviceCidr,
    exposure,
    felixTargets: config.felix?.targets,
    writeUrls: [remoteWrite?.url, longTerm?.writeUrl].filter((url) => url !== undefined),
    readUrl: longTerm?.readUrl,
    alertUrls: [
      config.alerts.smtp && `smtp://${config.alerts.smtp.host}`,
      config.alertWebhookUrl,
      config.alertSlackUrl,
      config.alertPagerDutyKey && config.alerts.pagerDutyUrl,
      config.alerts.heartbeatUrl,
    ].filter((url) => url !== undefined),
  },
  inCluster,
);
const operator = new Operator(
  "operator",
  {
    namespace,
    priorityClassName,
    crds,
    kubeconfig: cluster.kubeconfig,
    image: images.operator,
    configReloaderImage: images.configReloader,
  },
  inCluster,
);
const shared = { namespace, priorityClassName, sourceRanges, operator };
const prometheus = new Prometheus(
  "prometheus",
  {
    ...shared,
    image: images.prometheus,
    disk: disks.prometheus,
    address: addresses.prometheus,
    remoteWrite,
    longTerm: longTerm && { ...longTerm, url: longTerm.writeUrl },
    retentionDays: longTerm?.localRetentionDays,
  },
  inCluster,
);
const pushGateway = new PushGateway(
  "push-gateway",
  {
    ...shared,
    image: images.pushGateway,
    proxyImage: images.pushProxy,
    queueImage: images.pushQueue,
    disk: disks.pushGateway,
    address: addresses.pushGateway,
    exposure,
    auth,
    protectPassword: config.disks.protect,
  },
  inCluster,
);
if (config.felix !== undefined) {
  new FelixScrape("felix-scrape", { ...config.felix, namespace, operator }, inCluster);
}
new RecordingRules("recording-rules", { namespace, operator }, inCluster);
const entrance =
  domain === undefined || externalRanges === undefined
    ? undefined
    : new PushEntrance(
        "push-entrance",
        {
          apis,
          prefix,
          labels,
          namespace,
          image: images.pushQueue,
          domain,
          sourceRanges: externalRanges,
          protectAddress: config.disks.protect,
        },
        { providers: [cloud, api] },
      );
const grafana = new Grafana(
  "grafana",
  {
    ...shared,
    image: images.grafana,
    disk: disks.grafana,
    protectPassword: config.disks.protect,
    address: addresses.grafana,
    anonymousViewer: config.grafana.anonymousViewer,
  },
  inCluster,
);

const { email, smtp, pagerDutyUrl, heartbeatUrl, collectMinutes } = config.alerts;
const alertmanager = new Alertmanager(
  "alertmanager",
  {
    namespace,
    priorityClassName,
    operator,
    image: images.alertmanager,
    disk: disks.alertmanager,
    collectMinutes,
    receivers: {
      webhookUrl: config.alertWebhookUrl,
      slackUrl: config.alertSlackUrl,
      pagerDutyKey: config.alertPagerDutyKey,
      pagerDutyUrl,
      email,
      smtp: smtp && { ...smtp, password: config.smtpPassword },
      heartbeatUrl,
    },
  },
  inCluster,
);
new AlertRules(
  "alert-rules",
  {
    namespace,
    operator,
    thresholds: config.alerts,
    runbookUrl: config.alerts.runbookUrl,
    grafanaUrl: grafana.url,
  },
  inCluster,
);

// In Grafana: data sources and dashboards. The program reaches Grafana's API through a port-forward or directly
// (`grafana.access`).
const grafanaAccess = openGrafanaAccess({
  ...config.grafana,
  url: grafana.url,
  kubeconfig: cluster.kubeconfig,
  namespace,
  podLabels: grafana.podLabels,
  podPort: GRAFANA_PORT,
  deployment: grafana.deployment,
});
const content = new GrafanaContent("content", {
  url: grafanaAccess.url,
  publicUrl: grafana.url,
  user: grafana.user,
  password: grafana.password,
  prometheusUrl: prometheus.urlInCluster,
  longTerm: longTerm && { ...longTerm, url: longTerm.readUrl },
  alertmanagerUrl: alertmanager.urlInCluster,
  prometheusVersion: (imageVersion(images.prometheus) ?? "").replace(/^v/, ""),
  thresholds: config.alerts,
  deployment: grafana.deployment,
});
grafanaAccess.closeAfter(content.resources);

/** URL for pushes of CI, from the internet or from inside the VPC; undefined if pushes come only from the cluster. */
export const PROMPG_URL = entrance?.urlWith(pushGateway.credentials) ?? pushGateway.url;
/** IP address of PROMPG_URL. The A record of `pushGateway.domain`, if the stack has a domain, must contain it. */
export const PROMPG_ADDRESS =
  entrance?.address ?? (exposure === "in-cluster" ? undefined : addresses.pushGateway);
/** URL for pushes of jobs inside the cluster. */
export const PROMPG_URL_IN_CLUSTER = pushGateway.urlInCluster;
/** URL of Prometheus inside the VPC. */
export const PROMETHEUS_URL = prometheus.url;
/** URL of Grafana inside the VPC. */
export const GRAFANA_URL = grafana.url;
/** User name of Grafana's administrator. */
export const GRAFANA_USER = grafana.user;
/** Password of Grafana's administrator. */
export const GRAFANA_PASSWORD = pulumi.secret(grafana.password);
/** Command that serves Grafana on your computer. */
export const GRAFANA_TUNNEL = tunnelCommand({
  stack: pulumi.getStack(),
  namespace,
  service: grafana.serviceName,
  port: GRAFANA_PORT,
});
/** Kubeconfig of the cluster, without credentials. */
export const KUBECONFIG_YAML = cluster.kubeconfig;
/** Dashboard URLs by title. */
export const DASHBOARDS = content.dashboards;
