import "../stack-traces.ts";
import { PolicyPack } from "@pulumi/policy";
import { googlePolicies } from "./google.ts";
import { ingressPolicies } from "./ingresses.ts";
import { kubernetesPolicies } from "./kubernetes.ts";

// --policy-pack-config relaxes single rules (README.md).
new PolicyPack("k8sfv-metrics", {
  enforcementLevel: "mandatory",
  policies: [...googlePolicies, ...kubernetesPolicies, ...ingressPolicies],
});
