import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Cloud } from "./cloud.ts";
import { driverName, mountsOf, startCsiNode, type Attachments, type CsiNode } from "./csi/index.ts";
import { attachmentsOf } from "./disks.ts";
import { runIn } from "./machine.ts";
import { csiDir, listNodes, registrationDir, type NodeSpec } from "./node.ts";

/** The label by which a node says which zone it is in. */
const zoneLabel = "topology.kubernetes.io/zone";

/** The persistent disk driver of each node, started and ended as nodes come and go. */
export class DiskDrivers {
  private readonly drivers = new Map<string, CsiNode>();
  private readonly attachments: Attachments;

  constructor(private readonly cloud: Cloud) {
    this.attachments = attachmentsOf(cloud);
  }

  /** Starts the drivers of new nodes; ends those of nodes that are gone, and gives their disks back. */
  async reconcile(): Promise<void> {
    const nodes = await listNodes(this.cloud);
    // Also of nodes that went while this process did not run.
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
      // The machine sees this folder under the same path.
      socketPath: path.join(csiDir(this.cloud, node.name), "csi.sock"),
      registrationSocketPath: path.join(registrationDir(this.cloud, node.name), `${driverName}-reg.sock`),
      disksDir: this.cloud.disksDir,
      attachments: this.attachments,
      mounts: mountsOf((command) => runIn(this.cloud, node.name, command)),
    });
  }
}
