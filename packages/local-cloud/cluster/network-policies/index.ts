import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Cloud } from "../../hosts/cloud.ts";
import { commandIn, hostPid } from "../../hosts/host.ts";
import { listNodes } from "../records/nodes.ts";
import type { ClusterCache } from "../records/cluster-cache.ts";
import { nodeRules, type ClusterState } from "./rules.ts";

/**
 * Built-in chains of the table `mangle`, each with the chain that its first rule jumps to. No other program on a node
 * adds rules to this table.
 */
const HOOKS = [
  ["FORWARD", "NP-FORWARD"],
  ["INPUT", "NP-INPUT"],
] as const;

/** Enforces NetworkPolicies, as GKE's data plane does. A changed policy or pod takes effect within half a second. */
export class NetworkPolicyController {
  /**
   * Firewall rules that were last applied on each node, by the node's name, with the PID of the node's init process.
   */
  private readonly applied = new Map<string, { pid: number; rules: string }>();

  constructor(
    private readonly cloud: Cloud,
    private readonly watched: ClusterCache,
  ) {}

  /** Updates every node's firewall from the cluster's current NetworkPolicies and pods. */
  async reconcile(): Promise<void> {
    const { networkPolicies, pods, namespaces } = this.watched;
    const state = { policies: networkPolicies(), pods: pods(), namespaces: namespaces() };
    for (const { name } of await listNodes(this.cloud)) await this.apply(name, state);
  }

  private async apply(node: string, state: ClusterState): Promise<void> {
    const rules = nodeRules(state, node);
    const before = this.applied.get(node);
    // hostPid searches the process list, which is expensive, so it is called only after a change.
    if (before?.rules === rules && existsSync(`/proc/${before.pid}`)) return;
    const pid = await hostPid(this.cloud, node);
    if (pid === undefined) return;
    const run = async (command: string[], input = ""): Promise<void> => {
      const [file, ...args] = await commandIn(this.cloud, node, command, "network");
      await execa(file, args, { input });
    };
    await run(["iptables-restore", "--wait", "--noflush"], rules);
    for (const [chain, target] of HOOKS) {
      const rule = ["--wait", "--table", "mangle"];
      const hooked = run(["iptables", ...rule, "--check", chain, "--jump", target]);
      await hooked.catch(() => run(["iptables", ...rule, "--insert", chain, "--jump", target]));
    }
    this.applied.set(node, { pid, rules });
  }
}
