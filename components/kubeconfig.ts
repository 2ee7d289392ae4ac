/** How a client reaches the cluster's API. */
export interface KubeconfigArgs {
  /** The cluster's name, also of the context and the user. */
  clusterName: string;
  /** Host, or host:port, of the API server. */
  endpoint: string;
  /** The API server's certificate authority, base64 of PEM. Left out when the system's own ones know it. */
  caCertificate?: string;
}

/**
 * A kubeconfig that holds no credential: whoever uses it proves who they are through
 * `gke-gcloud-auth-plugin`, which has to be on their PATH (pulumi-kubernetes#3369).
 */
export function kubeconfig(args: KubeconfigArgs): string {
  const ca =
    args.caCertificate === undefined ? "" : `\n      certificate-authority-data: ${args.caCertificate}`;
  return `apiVersion: v1
kind: Config
clusters:
  - name: ${args.clusterName}
    cluster:
      server: https://${args.endpoint}${ca}
users:
  - name: ${args.clusterName}
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1beta1
        command: gke-gcloud-auth-plugin
        installHint: Install it with "gcloud components install gke-gcloud-auth-plugin"
        interactiveMode: Never
        provideClusterInfo: true
contexts:
  - name: ${args.clusterName}
    context:
      cluster: ${args.clusterName}
      user: ${args.clusterName}
current-context: ${args.clusterName}
`;
}
