/**
 * Every version and image of the environment, in one place.
 * An image's tag is exact: what was tested is what runs. Renovate adds the digest behind each tag
 * (`tag@sha256:…`, `pinDigests` in renovate.json), since only the registry knows it; both forms work everywhere.
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
  pushProxy: "docker.io/library/node:24.21.0-alpine3.24",
  grafana: "docker.io/grafana/grafana:13.2.3",
} as const;
