import { Disk } from "@pulumi/gcp/compute/disk.js";
import { Cluster } from "@pulumi/gcp/container/cluster.js";
import { NodePool } from "@pulumi/gcp/container/nodePool.js";
import { IAMMember } from "@pulumi/gcp/projects/iammember.js";
import { Provider as Google } from "@pulumi/gcp/provider.js";
import { Account } from "@pulumi/gcp/serviceaccount/account.js";
import { CustomResource } from "@pulumi/kubernetes/apiextensions/customResource.js";
import { Deployment } from "@pulumi/kubernetes/apps/v1/deployment.js";
import { Service } from "@pulumi/kubernetes/core/v1/service.js";
import { Ingress } from "@pulumi/kubernetes/networking/v1/ingress.js";
import { Provider as Kubernetes } from "@pulumi/kubernetes/provider.js";

const project = "rule-breaker";
const location = "us-central1-b";
const google = { provider: new Google("google", { project, zone: location }) };

const cluster = new Cluster(
  "open-cluster",
  {
    location,
    initialNodeCount: 1,
    removeDefaultNodePool: true,
    ipAllocationPolicy: { clusterIpv4CidrBlock: "10.1.0.0/16", servicesIpv4CidrBlock: "10.2.0.0/20" },
  },
  google,
);
const account = new Account("node-account", { accountId: "rule-breaker-nodes" }, google);
new NodePool(
  "open-pool",
  {
    cluster: cluster.name,
    location,
    nodeCount: 1,
    networkConfig: { enablePrivateNodes: false },
    nodeConfig: { serviceAccount: account.email },
  },
  google,
);
new NodePool("pool-without-account", { cluster: cluster.name, location, nodeCount: 1 }, google);
new IAMMember(
  "wide-node-role",
  { project, role: "roles/storage.objectViewer", member: account.member },
  google,
);
new IAMMember("owner", { project, role: "roles/owner", member: "user:somebody@example.com" }, google);
new Disk("lonely-disk", { zone: location, size: 10 }, google);

// The kubeconfig is unknown in a preview, as in the project itself, so the preview connects to no cluster.
const kubernetes = { provider: new Kubernetes("kubernetes", { kubeconfig: cluster.endpoint }) };
const labels = { app: "loose" };
new Deployment(
  "loose-deployment",
  {
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "loose", image: "docker.io/grafana/grafana:latest" }] },
      },
    },
  },
  kubernetes,
);
new CustomResource(
  "loose-prometheus",
  {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "Prometheus",
    metadata: { name: "loose" },
    spec: { image: "quay.io/prometheus/prometheus:v3" },
  },
  kubernetes,
);
new Service(
  "open-service",
  { spec: { type: "LoadBalancer", selector: labels, ports: [{ port: 80 }] } },
  kubernetes,
);
new Ingress(
  "open-ingress",
  { spec: { defaultBackend: { service: { name: "open-service", port: { number: 80 } } } } },
  kubernetes,
);
