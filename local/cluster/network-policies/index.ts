import { existsSync } from "node:fs";
import { execa } from "execa";
import type { Cloud } from "../cloud.ts";
import { commandIn, machinePid } from "../machine.ts";
import { listNodes } from "../node.ts";
import type { Watched } from "../watched.ts";
import { nodeRules, type ClusterState } from "./rules.ts";

/** Hooked in once a node; asked before anything else of the table, which nobody else uses. */
const HOOKS = [
  ["FORWARD", "NP-FORWARD"],
  ["INPUT", "NP-INPUT"],
] as const;

/**
 * What enforces network policies, as GKE's data plane does. A policy or pod counts from the next round, half a
 * second later at most.
 */
export class NetworkPolicies {
  /** What each machine has, in the life of it that has this process. */
  private readonly applied = new Map<string, { pid: number; rules: string }>();

  constructor(
    private readonly cloud: Cloud,
    private readonly watched: Watched,
  ) {}

  /** Brings every node's firewall to what the policies say of its pods now. */
  async reconcile(): Promise<void> {
    const { networkPolicies, pods, namespaces } = this.watched;
    const state = { policies: networkPolicies(), pods: pods(), namespaces: namespaces() };
    for (const { name } of await listNodes(this.cloud)) await this.apply(name, state);
  }

  private async apply(node: string, state: ClusterState): Promise<void> {
    const rules = nodeRules(state, node);
    const before = this.applied.get(node);
    // Looking for the machine among all processes costs more than everything else here.
    if (before?.rules === rules && existsSync(`/proc/${before.pid}`)) return;
    const pid = await machinePid(this.cloud, node);
    if (pid === undefined) return;
    const run = async (command: string[], input = ""): Promise<void> => {
      const [file, ...args] = await commandIn(this.cloud, node, command, "network");
      await execa(file, args, { input });
    };
    await run(["iptables-restore", "--wait", "--noflush"], rules);
    for (const [chain, target] of HOOKS) {
      const rule = ["--wait", "--table", "mangle"];
      const there = run(["iptables", ...rule, "--check", chain, "--jump", target]);
      await there.catch(() => run(["iptables", ...rule, "--insert", chain, "--jump", target]));
    }
    this.applied.set(node, { pid, rules });
  }
}
