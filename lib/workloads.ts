/**
 * The workloads of the environment. `name` is the name of the Service, the pods' label `app.kubernetes.io/name` and
 * the `job` label of the workload's own metrics; `port` is the Service's port. People and CI use these names and
 * ports: don't change them. This file imports nothing, so that both components/ and monitoring-mixin/ can use it.
 */
export const WORKLOADS = {
  operator: { name: "prometheus-operator", port: 8080 },
  prometheus: { name: "prometheus", port: 9090 },
  alertmanager: { name: "alertmanager", port: 9093 },
  pushGateway: { name: "prom-gateway", port: 9091 },
  pushQueue: { name: "push-queue", port: 9091 },
  grafana: { name: "grafana", port: 3000 },
} as const;

/** Ports of the push queue's own metrics: one for each of the two HAProxy containers of a pod. */
export const PUSH_QUEUE_METRICS_PORTS = [9101, 9102];

/** The `job` label of the metrics that Felix, the program under test, exposes itself. */
export const FELIX_JOB = "felix";
