import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "../hosts/cloud.ts";
import { driverName, mountsOf, startCsiNode, type Attachments, type CsiNode } from "./csi/index.ts";
import { attachmentsOf } from "./disks.ts";
import { runIn } from "../hosts/host.ts";
import { csiDir, listNodes, registrationDir, type NodeSpec } from "./records/nodes.ts";

/** Label that contains a node's zone. */
const zoneLabel = "topology.kubernetes.io/zone";

/** Runs the persistent disk driver of each node. */
export class DiskDriverController {
  private readonly drivers = new Map<string, CsiNode>();
  private readonly attachments: Attachments;

  constructor(private readonly cloud: Cloud) {
    this.attachments = attachmentsOf(cloud);
  }

  /** Starts the drivers of new nodes, stops the drivers of deleted nodes, and detaches the disks of deleted nodes. */
  async reconcile(): Promise<void> {
    const nodes = await listNodes(this.cloud);
    // Also detaches the disks of nodes that were deleted while this process was not running.
    await this.attachments.keepOnly(nodes.map(({ name }) => name));
    for (const [name, driver] of this.drivers) {
      if (nodes.some((node) => node.name === name)) continue;
      this.drivers.delete(name);
      await driver.close();
    }
    for (const node of nodes) {
      if (!this.drivers.has(node.name)) this.drivers.set(node.name, await this.start(node));
    }
  }

  private async start(node: NodeSpec): Promise<CsiNode> {
    await mkdir(registrationDir(this.cloud, node.name), { recursive: true });
    return startCsiNode({
      nodeName: node.name,
      zone: node.labels[zoneLabel] ?? "",
      // The node shares this part of the computer's file system, so its kubelet finds the socket at the same path.
      socketPath: path.join(csiDir(this.cloud, node.name), "csi.sock"),
      registrationSocketPath: path.join(registrationDir(this.cloud, node.name), `${driverName}-reg.sock`),
      disksDir: this.cloud.disksDir,
      attachments: this.attachments,
      mounts: mountsOf((command) => runIn(this.cloud, node.name, command)),
    });
  }
}
