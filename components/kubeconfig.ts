/** Arguments of kubeconfig. */
export interface KubeconfigArgs {
  /** Name of the cluster, also used for the context and the user. */
  clusterName: string;
  /** HOST or HOST:PORT of the API server. */
  endpoint: string;
  /** Certificate of the API server's CA, PEM in base64. @default the system's certificates */
  caCertificate?: string;
}

/**
 * Returns a kubeconfig without credentials. The client authenticates with `gke-gcloud-auth-plugin`, which must be on
 * the user's PATH (pulumi-kubernetes#3369).
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
