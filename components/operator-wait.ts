/**
 * Annotations that make `pulumi up` wait until the Prometheus Operator has applied a resource and its pod is ready.
 * `Available` is not enough, because it stays true for the old pod if the operator rejects a change.
 *
 * The wait can end too early. The operator always writes the resource's current generation into the condition
 * `Reconciled`, even if its last reconciliation was of an older one (GetCondition in the operator's
 * pkg/operator/operator.go). If it writes the status between a change and the change's reconciliation, `pulumi up`
 * succeeds even if that reconciliation fails. The status has no field that prevents this. Therefore the configuration
 * rejects all values that the operator would reject, and the alert PrometheusOperatorReconcileErrors reports other
 * failures.
 */
export const OPERATOR_WAIT = {
  "pulumi.com/waitFor": JSON.stringify(["condition=Reconciled", "condition=Available"]),
};
