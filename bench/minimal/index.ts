import { Network } from "@pulumi/gcp/compute/network.js";
import { Provider } from "@pulumi/gcp/provider.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { RandomPassword } from "@pulumi/random/randomPassword.js";

// The environment's stack has enabled the APIs in this project.
const google = new Provider("google", { project: "k8sfv-local", region: "us-central1" });
new Network("minimal", { autoCreateSubnetworks: false }, { provider: google });
// In the cluster of the environment variable KUBECONFIG.
new Namespace("minimal");
new RandomPassword("minimal", { length: 20 });
