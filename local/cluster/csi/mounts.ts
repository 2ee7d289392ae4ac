import { execa } from "execa";

/** Mounts and unmounts where a node's kubelet sees it. */
export interface Mounts {
  /**
   * Mounts the folder `source` at `target`, which is made when absent. When it is mounted there already,
   * nothing is done.
   */
  mount(source: string, target: string, options: { readOnly: boolean }): Promise<void>;
  /** Unmounts and removes `target`. Not being mounted, or not there, is no error. */
  unmount(target: string): Promise<void>;
}

/**
 * Mounts inside the mount namespace of a process, with the system's own commands.
 *
 * @param pid process whose namespace it is, asked anew each time since a machine may start again
 */
export function mountsOf(pid: () => number | Promise<number>): Mounts {
  const inside = async (...command: string[]): Promise<void> => {
    // Its process namespace too: the machine's /proc knows no process of another one, and without
    // /proc/self/mountinfo nothing looks mounted.
    await execa("nsenter", [`--target=${await pid()}`, "--mount", "--pid", "--", ...command]);
  };
  const succeeds = async (...command: string[]): Promise<boolean> =>
    inside(...command).then(
      () => true,
      () => false,
    );
  return {
    async mount(source, target, { readOnly }) {
      await inside("mkdir", "--parents", target);
      if (await succeeds("mountpoint", "--quiet", target)) return;
      await inside("mount", "--bind", source, target);
      if (readOnly) await inside("mount", "--options", "remount,bind,ro", target);
    },
    async unmount(target) {
      if (!(await succeeds("test", "-e", target))) return;
      if (await succeeds("mountpoint", "--quiet", target)) await inside("umount", target);
      await inside("rmdir", target);
    },
  };
}
