/** The hosts of a local cloud: its VPC, a CI host in the VPC, and one Kubernetes cluster. */
export { openCloud, type Cloud } from "../hosts/cloud.ts";
export { startCluster, stopCluster, type ClusterAccess } from "./control-plane.ts";
export { startForwarder } from "../hosts/forward.ts";
export { setGlobalResource } from "./front-end/global-resources.ts";
export { frontEndHost, internetAuthorityDir, internetHost } from "./front-end/hosts.ts";
export { ciHost, commandIn, killHost, runIn } from "../hosts/host.ts";
export { startNetwork, stopNetwork, type NetworkSpec } from "../hosts/network.ts";
export { startNode, stopNode } from "./node.ts";
export { startPodForward } from "./pod-forward.ts";
export { prepareCloud } from "./prepare.ts";
export { removeCloud } from "./remove.ts";
export { assertEngineIdle, resumeCloud } from "./resume.ts";
export { listNodes, type NodeSpec } from "./records/nodes.ts";
export { type ClusterSpec } from "./records/cluster.ts";
