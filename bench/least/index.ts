import { Network } from "@pulumi/gcp/compute/network.js";
import { Provider } from "@pulumi/gcp/provider.js";
import { Namespace } from "@pulumi/kubernetes/core/v1/namespace.js";
import { RandomPassword } from "@pulumi/random/randomPassword.js";

// The project in which the whole has enabled the APIs.
const google = new Provider("google", { project: "k8sfv-local", region: "us-central1" });
new Network("least", { autoCreateSubnetworks: false }, { provider: google });
// In the cluster of the KUBECONFIG around it.
new Namespace("least");
new RandomPassword("least", { length: 20 });
