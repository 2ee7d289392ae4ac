import * as pulumi from "@pulumi/pulumi";

/** What the command needs to know. */
export interface TunnelCommandArgs {
  /** The stack's name. */
  stack: string;
  /** The namespace it lives in. */
  namespace: pulumi.Input<string>;
  /** The Service to reach. */
  service: pulumi.Input<string>;
  /** Its port. */
  port: number;
}

/** The local port that people of the project are used to. */
const LOCAL_PORT = 8082;

/**
 * One line to paste in the project's folder: Grafana on http://127.0.0.1:8082 as long as it runs. It goes
 * through the Kubernetes API, so it needs kubectl and the right to use the cluster, and no machine in
 * the VPC.
 */
export function tunnelCommand(args: TunnelCommandArgs): pulumi.Output<string> {
  return pulumi.interpolate`k=$(mktemp) && pulumi stack output --stack ${args.stack} --show-secrets KUBECONFIG_YAML > $k && kubectl --kubeconfig $k --namespace ${args.namespace} port-forward service/${args.service} ${LOCAL_PORT}:${args.port}`;
}
