import { WORKLOADS } from "../../workloads.ts";

/** A workload that the smoke test connects to. */
export interface Part {
  /** What people call it. */
  readonly title: string;
  /** Its Service in the cluster. */
  readonly service: string;
  /** Its address for who is inside the VPC, without a password; undefined when there is none. */
  readonly url: string | undefined;
  /** What every request has to carry: the password. */
  readonly headers: Record<string, string>;
  /** Headers of requests to `url`. @default those of `headers` */
  readonly directHeaders?: Record<string, string>;
  /** What answers 200 when all is well. */
  readonly readyPath: string;
}

/** What the smoke test needs to know of a stack. */
export interface Target {
  readonly gateway: Part;
  readonly prometheus: Part;
  readonly grafana: Part;
  readonly alertmanager: Part;
  readonly namespace: string;
  /** How the Kubernetes API is reached; holds no credential. */
  readonly kubeconfig: string;
}

/** Outputs without which nothing can be tried. */
const NEEDED = ["PROMPG_URL_IN_CLUSTER", "PROMETHEUS_URL", "GRAFANA_URL", "GRAFANA_USER", "GRAFANA_PASSWORD"];

/**
 * Reads a stack's outputs.
 *
 * @param outputs - by name, secrets in the clear
 * @throws Error that names the outputs that are missing
 */
export function targetOf(outputs: Record<string, unknown>): Target {
  const text = (name: string) => {
    const value = outputs[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const missing = [...NEEDED, "KUBECONFIG_YAML"].filter((name) => text(name) === undefined);
  if (missing.length > 0) {
    throw new Error(`the stack has no output ${missing.join(", ")}: did its last pulumi up go through?`);
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
      title: "push gateway",
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
      // It has no address in the VPC: there Grafana's data source leads to it. The password is for Grafana only.
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
