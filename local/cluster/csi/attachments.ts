import { randomUUID } from "node:crypto";
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

/** Who has a disk, and where it is mounted there. */
export interface Attachment {
  node: string;
  /** Paths as the node's kubelet sees them. */
  targets: string[];
}

/**
 * Which node has which disk: a file a disk in one folder, so that the drivers of several nodes agree without
 * knowing each other. Only the node that has a disk changes its file; two that want one at the same moment
 * are told apart by the file system, where only one of them can make the file.
 */
export class Attachments {
  /** @param dir folder of the files; made when needed */
  constructor(private readonly dir: string) {}

  /** Who has the disk now. */
  async holder(zone: string, disk: string): Promise<Attachment | undefined> {
    return readAttachment(this.file(zone, disk));
  }

  /**
   * Notes that `node` uses the disk at `target`. Again with the same values changes nothing.
   *
   * @returns who has the disk: `node`, or the other node that it is refused for
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
      const made = await makeOnly(draft, file);
      if (made) return node;
    }
  }

  /** Forgets `target`; with its last target the node gives the disk back. Not being there is no error. */
  async detach(zone: string, disk: string, node: string, target: string): Promise<void> {
    const file = this.file(zone, disk);
    const there = await readAttachment(file);
    if (there?.node !== node) return;
    const targets = there.targets.filter((other) => other !== target);
    if (targets.length === 0) await rm(file, { force: true });
    else await rename(await this.draft({ node, targets }), file);
  }

  /** Takes the disk away from whoever has it. */
  async release(zone: string, disk: string): Promise<void> {
    await rm(this.file(zone, disk), { force: true });
  }

  /** Gives back every disk of a node that is gone, as Google does when an instance is deleted. */
  async forgetNode(node: string): Promise<void> {
    await this.forget((holder) => holder === node);
  }

  /** Gives back the disks of all nodes but these; for a start after a crash, when nodes went unseen. */
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

/** Gives the draft its name unless there is one of that name; false when there is. */
async function makeOnly(draft: string, file: string): Promise<boolean> {
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
