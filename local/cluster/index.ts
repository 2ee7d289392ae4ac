/** The machines of a local cloud: its VPC, a CI machine in it, and one Kubernetes cluster. */
export { openCloud, type Cloud } from "./cloud.ts";
export { startCluster, stopCluster, type ClusterAccess, type ClusterSpec } from "./control-plane.ts";
export { startForwarder } from "./forward.ts";
export { frontEndMachine, internetAuthorityDir, outsideMachine } from "./front-end/machines.ts";
export { ciMachine, commandIn, killMachine, runIn } from "./machine.ts";
export { startNetwork, stopNetwork, type NetworkSpec } from "./network.ts";
export { listNodes, startNode, stopNode, type NodeSpec } from "./node.ts";
export { startPodForward } from "./pod-forward.ts";
export { prepareCloud } from "./prepare.ts";
export { removeCloud } from "./remove.ts";
export { refuseDuringRun, resumeCloud } from "./resume.ts";
