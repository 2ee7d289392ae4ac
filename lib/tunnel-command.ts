import * as pulumi from "@pulumi/pulumi";

/** Arguments of tunnelCommand. */
export interface TunnelCommandArgs {
  /** Name of the stack. */
  stack: string;
  /** Namespace of the Service. */
  namespace: pulumi.Input<string>;
  /** Name of the Service. */
  service: pulumi.Input<string>;
  /** Port of the Service. */
  port: number;
}

/**
 * Local port, the same as in the commands for the previous environment (docs/architecture.md), which was created by
 * hand.
 */
const LOCAL_PORT = 8082;

/**
 * Returns a one-line command that serves Grafana on http://127.0.0.1:8082 while the command runs. The command needs
 * Pulumi, kubectl, permission to use the cluster, and the project's directory as working directory. It doesn't need a
 * machine in the VPC.
 */
export function tunnelCommand(args: TunnelCommandArgs): pulumi.Output<string> {
  return pulumi.interpolate`k=$(mktemp) && pulumi stack output --stack ${args.stack} --show-secrets KUBECONFIG_YAML > $k && kubectl --kubeconfig $k --namespace ${args.namespace} port-forward service/${args.service} ${LOCAL_PORT}:${args.port}`;
}
