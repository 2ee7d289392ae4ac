import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** The node that a disk is attached to, and where it is mounted. */
export interface Attachment {
  node: string;
  /** Mount paths on the node. */
  targets: string[];
}

/**
 * Records which node each disk is attached to, in one file per disk, so that the drivers of several nodes agree without
 * communicating. A node's driver writes a disk's file only if the disk is detached or attached to this node; `release`,
 * `forgetNode` and `keepOnly` delete files of any node. If two nodes attach a disk at the same time, link(2) lets only
 * one of them create the file.
 */
export class Attachments {
  /** @param dir directory of the disks' files; created when needed */
  constructor(private readonly dir: string) {}

  /** Returns the disk's attachment, or undefined if it is detached. */
  async holder(zone: string, disk: string): Promise<Attachment | undefined> {
    return readAttachment(this.file(zone, disk));
  }

  /**
   * Attaches the disk to `node` for the mount at `target`. Idempotent.
   *
   * @returns the node that the disk is attached to: `node`, or another one, in which case nothing changed
   */
  async attach(zone: string, disk: string, node: string, target: string): Promise<string> {
    await mkdir(this.dir, { recursive: true });
    const file = this.file(zone, disk);
    for (;;) {
      const there = await readAttachment(file);
      if (there !== undefined && there.node !== node) return there.node;
      if (there?.targets.includes(target)) return node;
      const draft = await this.draft({ node, targets: [...(there?.targets ?? []), target] });
      if (there !== undefined) {
        await rename(draft, file);
        return node;
      }
      const made = await linkUnlessExists(draft, file);
      if (made) return node;
    }
  }

  /** Removes the mount at `target` from the record, and detaches the disk if this was its last mount. Idempotent. */
  async detach(zone: string, disk: string, node: string, target: string): Promise<void> {
    const file = this.file(zone, disk);
    const there = await readAttachment(file);
    if (there?.node !== node) return;
    const targets = there.targets.filter((other) => other !== target);
    if (targets.length === 0) await rm(file, { force: true });
    else await rename(await this.draft({ node, targets }), file);
  }

  /** Detaches the disk, whichever node it is attached to. */
  async release(zone: string, disk: string): Promise<void> {
    await rm(this.file(zone, disk), { force: true });
  }

  /** Detaches all disks of a deleted node, as Google does when an instance is deleted. */
  async forgetNode(node: string): Promise<void> {
    await this.forget((holder) => holder === node);
  }

  /**
   * Detaches the disks of all nodes except `nodes`. This includes nodes that were deleted while the disk drivers were
   * not running.
   */
  async keepOnly(nodes: readonly string[]): Promise<void> {
    await this.forget((holder) => !nodes.includes(holder));
  }

  private async forget(isGone: (node: string) => boolean): Promise<void> {
    for (const name of await readdir(this.dir).catch(() => [])) {
      if (!name.endsWith(".json")) continue;
      const file = path.join(this.dir, name);
      const there = await readAttachment(file);
      if (there !== undefined && isGone(there.node)) await rm(file, { force: true });
    }
  }

  private file(zone: string, disk: string): string {
    return path.join(this.dir, `${zone}.${disk}.json`);
  }

  private async draft(attachment: Attachment): Promise<string> {
    const draft = path.join(this.dir, `draft-${randomUUID()}`);
    await writeFile(draft, JSON.stringify(attachment));
    return draft;
  }
}

async function readAttachment(file: string): Promise<Attachment | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Attachment);
}

/**
 * Moves the draft to the file's path with link(2), which never replaces a file.
 *
 * @returns false if the file already exists
 */
async function linkUnlessExists(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}
