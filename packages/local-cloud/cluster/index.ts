/** The hosts of a local cloud: its VPC, a CI host in the VPC, and one Kubernetes cluster. */
export { openCloud, type Cloud } from "./cloud.ts";
export { startCluster, stopCluster, type ClusterAccess, type ClusterSpec } from "./control-plane.ts";
export { startForwarder } from "./forward.ts";
export { frontEndHost, internetAuthorityDir, internetHost } from "./front-end/hosts.ts";
export { ciHost, commandIn, killHost, runIn } from "./host.ts";
export { startNetwork, stopNetwork, type NetworkSpec } from "./network.ts";
export { listNodes, startNode, stopNode, type NodeSpec } from "./node.ts";
export { startPodForward } from "./pod-forward.ts";
export { prepareCloud } from "./prepare.ts";
export { removeCloud } from "./remove.ts";
export { assertEngineIdle, resumeCloud } from "./resume.ts";
