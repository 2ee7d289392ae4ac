/**
 * Every version and image of the environment, in one place.
 * An image's tag is exact: what was tested is what runs.
 */
export const images = {
  /** github.com/prometheus-operator/prometheus-operator, the operator itself. */
  operator: "quay.io/prometheus-operator/prometheus-operator:v0.85.0",
  /** Sidecar that the operator adds to Prometheus; its version is the operator's. */
  configReloader: "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0",
  prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  alertmanager: "quay.io/prometheus/alertmanager:v0.35.0",
  pushGateway: "quay.io/prometheus/pushgateway:v1.11.1",
  /** Runs the push proxy before the Pushgateway (components/push-proxy): Node and a shell. */
  pushProxy: "docker.io/library/node:22.20.0-alpine3.22",
  grafana: "docker.io/grafana/grafana:12.3.0",
} as const;
