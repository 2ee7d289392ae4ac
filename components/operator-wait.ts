/**
 * Annotations that make `pulumi up` wait until the Prometheus Operator has applied a resource and its pod is ready.
 * `Available` is not enough, because it stays true for the old pod if the operator rejects a change.
 *
 * The wait can end too early. Whenever the operator writes the status, it labels the result of its last reconciliation
 * with the resource's current generation (GetCondition in the operator's pkg/operator/operator.go). If it writes the
 * status after a change but before it has reconciled the change, `Reconciled` is already true, and `pulumi up` succeeds
 * even if the reconciliation then fails. The status has no field that prevents this. Therefore the configuration
 * rejects all values that the operator would reject, and the alert PrometheusOperatorReconcileErrors reports other
 * failures.
 */
export const OPERATOR_WAIT = {
  "pulumi.com/waitFor": JSON.stringify(["condition=Reconciled", "condition=Available"]),
};
