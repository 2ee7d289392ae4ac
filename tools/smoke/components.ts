import { WORKLOADS } from "../../lib/workloads.ts";

/** A workload that the smoke test connects to. */
export interface Component {
  /** Display name. */
  readonly title: string;
  /** Name of the workload's Kubernetes Service. */
  readonly service: string;
  /**
   * URL for connections from the VPC (option `--direct`), without user and password; undefined if the component can't
   * be reached from there.
   */
  readonly url: string | undefined;
  /** Headers of requests, with the user and password if the component requires them. */
  readonly headers: Record<string, string>;
  /**
   * Headers of requests to `url`, if they differ from those of requests through the Kubernetes API. @default `headers`
   */
  readonly directHeaders?: Record<string, string>;
  /** Path that returns 200 when the component is ready. */
  readonly readyPath: string;
}

/** A stack under test. */
export interface Target {
  readonly gateway: Component;
  readonly prometheus: Component;
  readonly grafana: Component;
  readonly alertmanager: Component;
  readonly namespace: string;
  /** Kubeconfig without credentials. */
  readonly kubeconfig: string;
}

/** Outputs that the smoke test requires. */
const NEEDED = ["PROMPG_URL_IN_CLUSTER", "PROMETHEUS_URL", "GRAFANA_URL", "GRAFANA_USER", "GRAFANA_PASSWORD"];

/**
 * Parses a stack's outputs.
 *
 * @param outputs outputs by name, with secrets in plain text
 * @throws Error that names missing outputs
 */
export function targetOf(outputs: Record<string, unknown>): Target {
  const text = (name: string) => {
    const value = outputs[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const missing = [...NEEDED, "KUBECONFIG_YAML"].filter((name) => text(name) === undefined);
  if (missing.length > 0) {
    throw new Error(`the stack has no output ${missing.join(", ")}: check that its last pulumi up succeeded`);
  }
  const grafanaUrl = text("GRAFANA_URL") ?? "";
  const asAdmin = login(text("GRAFANA_USER") ?? "", text("GRAFANA_PASSWORD") ?? "");
  const push = text("PROMPG_URL");
  const inCluster = new URL(text("PROMPG_URL_IN_CLUSTER") ?? "");
  const [gatewayService = "", namespace = ""] = inCluster.hostname.split(".");
  return {
    namespace,
    kubeconfig: text("KUBECONFIG_YAML") ?? "",
    gateway: {
      title: "Pushgateway",
      service: gatewayService,
      url: push === undefined ? undefined : withoutLogin(new URL(push)),
      headers: login(inCluster.username, inCluster.password),
      readyPath: "/-/ready",
    },
    prometheus: {
      title: "Prometheus",
      service: "prometheus",
      url: text("PROMETHEUS_URL"),
      headers: {},
      readyPath: "/-/ready",
    },
    grafana: {
      title: "Grafana",
      service: "grafana",
      url: grafanaUrl,
      headers: asAdmin,
      readyPath: "/api/org",
    },
    alertmanager: {
      title: "Alertmanager",
      service: WORKLOADS.alertmanager.name,
      // With --direct, the smoke test connects to addresses in the VPC. Alertmanager has none, so the test reaches it
      // through Grafana's data source, with Grafana's password.
      url: `${grafanaUrl}/api/alertmanager/my-alertmanager`,
      headers: {},
      directHeaders: asAdmin,
      readyPath: "/api/v2/status",
    },
  };
}

function withoutLogin(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

function login(user: string, password: string): Record<string, string> {
  if (user === "") return {};
  const credentials = `${decodeURIComponent(user)}:${decodeURIComponent(password)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
