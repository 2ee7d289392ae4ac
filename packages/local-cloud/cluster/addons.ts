import {
  KubernetesObjectApi,
  PatchStrategy,
  type KubeConfig,
  type KubernetesObject,
} from "@kubernetes/client-node";
import { corednsImage } from "../images/index.ts";
import { csiDriver } from "./csi/index.ts";
import { frontEndCrds } from "./front-end/crds.ts";

/**
 * Applies the objects that every GKE cluster has: DNS, a default StorageClass, the persistent disk driver's
 * CSIDriver, and the CRDs that configure Google's load balancer. Idempotent.
 *
 * @param dnsAddress IP address of the cluster's DNS Service
 */
export async function applyAddons(config: KubeConfig, dnsAddress: string): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(config);
  for (const object of [...dnsObjects(dnsAddress), ...storageObjects(), ...frontEndCrds()]) {
    await api.patch(object, undefined, undefined, "local-cloud", true, PatchStrategy.ServerSideApply);
  }
}

const dnsLabels = { "k8s-app": "kube-dns" };
const dnsName = { name: "kube-dns", namespace: "kube-system", labels: dnsLabels };

/** Configuration of CoreDNS. It has no upstream resolver, so names outside the cluster do not resolve. */
const corefile = `.:53 {
  errors
  health :8080
  ready :8181
  kubernetes cluster.local in-addr.arpa {
    ttl 5
  }
  cache 5
  reload
}
`;

function dnsObjects(clusterIP: string): KubernetesObject[] {
  const ports = [
    { name: "dns", port: 53, targetPort: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, targetPort: 53, protocol: "TCP" },
  ];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: dnsName },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:coredns" },
      rules: [
        { apiGroups: [""], resources: ["services", "namespaces", "pods"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns" },
      roleRef,
      subjects: [{ kind: "ServiceAccount", name: dnsName.name, namespace: dnsName.namespace }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: dnsName, data: { Corefile: corefile } },
    { apiVersion: "v1", kind: "Service", metadata: dnsName, spec: { clusterIP, selector: dnsLabels, ports } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata: dnsName, spec: dnsDeployment() },
  ] as object[];
}

function dnsDeployment(): object {
  return {
    replicas: 1,
    selector: { matchLabels: dnsLabels },
    template: {
      metadata: { labels: dnsLabels },
      spec: {
        serviceAccountName: dnsName.name,
        priorityClassName: "system-cluster-critical",
        dnsPolicy: "Default",
        containers: [
          {
            name: "coredns",
            image: corednsImage,
            args: ["-conf", "/etc/coredns/Corefile"],
            resources: { requests: { cpu: "10m", memory: "30Mi" }, limits: { memory: "100Mi" } },
            readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
            securityContext: {
              allowPrivilegeEscalation: false,
              capabilities: { drop: ["ALL"] },
              readOnlyRootFilesystem: true,
            },
            volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
          },
        ],
        volumes: [{ name: "config", configMap: { name: dnsName.name } }],
      },
    },
  };
}

function storageObjects(): KubernetesObject[] {
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: "standard-rwo",
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: "kubernetes.io/host-path",
      volumeBindingMode: "Immediate",
    },
    csiDriver,
  ] as object[];
}
