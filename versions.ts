/**
 * Versions of all images. Tags are exact, so that production runs what was tested. Renovate appends the digest of each
 * tag (`tag@sha256:…`, `pinDigests` in renovate.json), which only the registry knows. The program accepts tags with and
 * without a digest.
 */
export const images = {
  /** github.com/prometheus-operator/prometheus-operator: the operator. */
  operator: "quay.io/prometheus-operator/prometheus-operator:v0.85.0",
  /** Sidecar that the operator adds to Prometheus and Alertmanager. It has the operator's version. */
  configReloader: "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0",
  prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  alertmanager: "quay.io/prometheus/alertmanager:v0.35.0",
  pushGateway: "quay.io/prometheus/pushgateway:v1.11.1",
  /** Runs the push proxy (components/push-proxy), which needs Node and a shell. */
  pushProxy: "docker.io/library/node:24.21.0-alpine3.24",
  /** The push queue in front of the push proxy (components/push-queue.ts): an LTS branch of HAProxy. */
  pushQueue: "docker.io/library/haproxy:3.0.26-alpine3.24",
  grafana: "docker.io/grafana/grafana:13.2.3",
} as const;
