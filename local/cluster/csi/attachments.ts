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
  async holder(disk: string): Promise<Attachment | undefined> {
    const text = await readFile(this.file(disk), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as Attachment);
  }

  /**
   * Notes that `node` uses the disk at `target`. Again with the same values changes nothing.
   *
   * @returns who has the disk: `node`, or the other node that it is refused for
   */
  async attach(disk: string, node: string, target: string): Promise<string> {
    await mkdir(this.dir, { recursive: true });
    for (;;) {
      const there = await this.holder(disk);
      if (there !== undefined && there.node !== node) return there.node;
      if (there?.targets.includes(target)) return node;
      const draft = await this.draft({ node, targets: [...(there?.targets ?? []), target] });
      if (there !== undefined) {
        await rename(draft, this.file(disk));
        return node;
      }
      const made = await makeOnly(draft, this.file(disk));
      if (made) return node;
    }
  }

  /** Forgets `target`; with its last target the node gives the disk back. Not being there is no error. */
  async detach(disk: string, node: string, target: string): Promise<void> {
    const there = await this.holder(disk);
    if (there?.node !== node) return;
    const targets = there.targets.filter((other) => other !== target);
    if (targets.length === 0) await rm(this.file(disk), { force: true });
    else await rename(await this.draft({ node, targets }), this.file(disk));
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
      const disk = path.basename(name, ".json");
      const there = await this.holder(disk);
      if (there !== undefined && isGone(there.node)) await rm(this.file(disk), { force: true });
    }
  }

  private file(disk: string): string {
    return path.join(this.dir, `${disk}.json`);
  }

  private async draft(attachment: Attachment): Promise<string> {
    const draft = path.join(this.dir, `draft-${randomUUID()}`);
    await writeFile(draft, JSON.stringify(attachment));
    return draft;
  }
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
