/** The machines of a local cloud: its VPC, a CI machine in it, and one Kubernetes cluster. */
export { cloudsDir, openCloud, type Cloud } from "./cloud.ts";
export {
  adminKubeconfigFile,
  startCluster,
  stopCluster,
  type ClusterAccess,
  type ClusterSpec,
} from "./control-plane.ts";
export { startNetwork, stopNetwork, ciMachine, type NetworkSpec } from "./network.ts";
export { startNode, stopNode, listNodes, type NodeSpec } from "./node.ts";
export { prepareCloud } from "./prepare.ts";
export { resumeCloud } from "./resume.ts";
export { removeCloud } from "./remove.ts";
export { startForwarder } from "./forward.ts";
export { commandIn, runIn, killMachine } from "./machine.ts";
