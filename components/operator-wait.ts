/**
 * Annotations of a resource that the Prometheus Operator manages: `pulumi up` waits until the operator has applied it and its
 * pod is ready. `Available` alone stays true for the old pod when the operator rejects a change.
 *
 * The wait has a gap. The operator reports the result of its last reconciliation for the generation that is current when it
 * writes the status (its pkg/operator/operator.go, GetCondition). When it writes the status for another reason after a change
 * and before its reconciliation, `Reconciled` is true too early, and `pulumi up` succeeds even if the reconciliation fails. No
 * field of the status shows the reconciled generation, so no condition of the wait closes the gap. Therefore the configuration
 * rejects all values that the operator would reject, and the alert PrometheusOperatorReconcileErrors reports other failures.
 */
export const OPERATOR_WAIT = {
  "pulumi.com/waitFor": JSON.stringify(["condition=Reconciled", "condition=Available"]),
};
