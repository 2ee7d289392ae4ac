/**
 * Annotations that make `pulumi up` wait until the Prometheus Operator has applied a resource and its pod is ready.
 * `Available` is not enough, because it stays true for the old pod if the operator rejects a change.
 *
 * The wait can end too early. In the status, the operator combines the result of its last reconciliation with the
 * resource's current generation, even if it has not reconciled that generation (the operator's
 * pkg/operator/operator.go, GetCondition). If the operator writes the status after a change but before it has
 * reconciled that change, `Reconciled` is true, and `pulumi up` succeeds even if the reconciliation then fails. The
 * status has no field that prevents this. Therefore the configuration rejects all values that the operator would
 * reject, and the alert PrometheusOperatorReconcileErrors reports other failures.
 */
export const OPERATOR_WAIT = {
  "pulumi.com/waitFor": JSON.stringify(["condition=Reconciled", "condition=Available"]),
};
