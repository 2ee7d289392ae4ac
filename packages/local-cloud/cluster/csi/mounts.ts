/** Mounts and unmounts directories on a node. */
export interface Mounts {
  /**
   * Bind-mounts the directory `source` at `target`, which is created if absent. Does nothing if something is
   * already mounted there.
   */
  mount(source: string, target: string, options: { readOnly: boolean }): Promise<void>;
  /** Unmounts `target` if it is a mount point, and removes the directory. Does nothing if `target` does not exist. */
  unmount(target: string): Promise<void>;
}

/**
 * Returns an implementation of `Mounts` that runs the commands of util-linux.
 *
 * @param run runs a command on the host. The command must also run in the host's PID namespace: mountpoint(1) reads
 * /proc/self/mountinfo, and the host's /proc contains only processes of that namespace
 */
export function mountsOf(run: (command: string[]) => Promise<unknown>): Mounts {
  const inside = (...command: string[]): Promise<unknown> => run(command);
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
