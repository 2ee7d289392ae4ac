import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { execa, type Options } from "execa";
import { hostCgroup, removeCgroup } from "./cgroups.ts";
import type { Cloud } from "./cloud.ts";
import { findProcesses, killProcesses, markerArguments, detachedEnvironment } from "./processes.ts";

/** A process that a host supervises. */
export interface Unit {
  /** Name; also the name of the log file. */
  name: string;
  argv: string[];
  /** Variables added to the host's environment. */
  env?: Record<string, string>;
}

/** Definition of an emulated host. */
export interface HostSpec {
  /** Name; also the hostname. */
  name: string;
  /**
   * Bind mounts, made before `setup` and the units run; a missing source directory is created. Every host has its own
   * /var, /tmp and /run and shares the rest of the computer's file system.
   */
  binds?: { source: string; target: string }[];
  /** Commands that run once, in order, before the units start. */
  setup?: string[][];
  units?: Unit[];
  /** Connects the host to a network before `setup` runs. `pid` is a process in the host's namespaces. */
  connect?: (pid: number) => Promise<void>;
}

/** Bind mount, shared by all hosts, of the directory in which kube-controller-manager creates host-path volumes. */
export function volumesBind(cloud: Cloud): { source: string; target: string } {
  return { source: path.join(cloud.clusterDir, "volumes"), target: "/tmp/hostpath_pv" };
}

/** Options of nsenter for the namespaces of a host. */
const namespaceFlags = { network: ["--net"], all: ["--net", "--pid", "--mount", "--uts"] } as const;

/** The CI host in the VPC; it does not run Kubernetes. */
export const ciHost = "ci";

/** Returns the directory of the host's data and logs. */
export function hostDir(cloud: Cloud, name: string): string {
  return path.join(cloud.hostsDir, name);
}

/** Returns the PID that the host's init process has outside the host, or undefined if the host is not running. */
export async function hostPid(cloud: Cloud, name: string): Promise<number | undefined> {
  const processes = await findProcesses(cloud, hostRole(name));
  return processes.find(({ argv }) => argv[0] === initPath(cloud))?.pid;
}

/**
 * Starts an emulated host: Linux network, PID, mount and UTS namespaces with `machine-init` as process 1. Does nothing
 * if the host already runs.
 *
 * @returns true if this call started the host
 * @throws Error with the last line of the host's log when the host's set-up fails
 */
export async function startHost(cloud: Cloud, spec: HostSpec): Promise<boolean> {
  if ((await hostPid(cloud, spec.name)) !== undefined) return false;
  // A crash leaves the cgroups of containers that no longer run. A new kubelet would wait 3 s for each of them.
  await removeCgroup(hostCgroup(cloud, spec.name));
  const dir = hostDir(cloud, spec.name);
  const binds = [
    { source: path.join(dir, "var"), target: "/var" },
    { source: path.join(dir, "tmp"), target: "/tmp" },
    ...(spec.binds ?? []),
  ];
  for (const { source } of binds) await mkdir(source, { recursive: true });
  const log = await open(path.join(dir, "init.log"), "a", 0o600);
  const init = spawn(
    "unshare",
    [
      ...["--net", "--uts", "--mount", "--propagation", "private", "--pid", "--fork", "--mount-proc", "--"],
      ...[initPath(cloud), ...markerArguments(cloud, hostRole(spec.name))],
    ],
    // Without cwd "/" the host would keep the caller's working directory in use.
    { cwd: "/", env: detachedEnvironment(), detached: true, stdio: ["pipe", log.fd, log.fd] },
  ) as ChildProcessByStdio<Writable, null, null>;
  await once(init, "spawn");
  await log.close();
  init.unref();
  const pid = await waitForPid(cloud, spec.name, init);
  await spec.connect?.(pid);
  // Writing fails only if the host has exited, which is reported below.
  init.stdin.on("error", () => undefined);
  init.stdin.end(JSON.stringify(initSpec(cloud, spec, binds)));
  await sleep(50);
  if (init.exitCode !== null) throw await startError(cloud, spec.name);
  return true;
}

/** Kills all processes of the host, like a power failure, and removes its containers' cgroups. Its data is kept. */
export async function killHost(cloud: Cloud, name: string): Promise<void> {
  await killProcesses(await findProcesses(cloud, hostRole(name)));
  await removeCgroup(hostCgroup(cloud, name));
}

/** Kills the host and removes its data. */
export async function removeHost(cloud: Cloud, name: string): Promise<void> {
  await killHost(cloud, name);
  await rm(hostDir(cloud, name), { recursive: true, force: true });
}

/**
 * Returns the command line that runs `command` in all of the host's namespaces, or in its network namespace
 * only.
 *
 * @throws Error when the host is not running
 */
export async function commandIn(
  cloud: Cloud,
  host: string,
  command: string[],
  namespaces: keyof typeof namespaceFlags = "all",
): Promise<[string, ...string[]]> {
  const pid = await hostPid(cloud, host);
  if (pid === undefined) throw new Error(`Host ${host} of local cloud ${cloud.name} is not running`);
  return ["nsenter", "--target", String(pid), ...namespaceFlags[namespaces], "--", ...command];
}

/**
 * Runs a command on the host and returns its standard output.
 *
 * @throws ExecaError with the command's output when it fails
 */
export async function runIn(
  cloud: Cloud,
  host: string,
  command: string[],
  options: Options & { namespaces?: keyof typeof namespaceFlags } = {},
): Promise<string> {
  const { namespaces, ...rest } = options;
  const [file, ...args] = await commandIn(cloud, host, command, namespaces);
  const { stdout } = await execa(file, args, { ...rest, stdin: "ignore", stdout: "pipe", encoding: "utf8" });
  return stdout as string;
}

function initSpec(cloud: Cloud, spec: HostSpec, binds: { source: string; target: string }[]): object {
  return {
    setup: [
      ["hostname", spec.name],
      ["mount", "-t", "tmpfs", "tmpfs", "/run"],
      ...binds.flatMap(({ source, target }) => [
        ["mkdir", "-p", target],
        ["mount", "--bind", source, target],
      ]),
      ["ln", "-sfn", "/run", "/var/run"],
      ["mkdir", "-p", "/var/lib", "/var/log", "/var/tmp"],
      ["mount", "--make-rshared", "/"],
      ["ip", "link", "set", "lo", "up"],
      ...(spec.setup ?? []),
    ],
    units: (spec.units ?? []).map(({ name, argv, env = {} }) => ({
      argv,
      env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
      log: path.join(hostDir(cloud, spec.name), `${name}.log`),
    })),
  };
}

async function waitForPid(cloud: Cloud, name: string, init: { exitCode: number | null }): Promise<number> {
  for (;;) {
    const pid = await hostPid(cloud, name);
    if (pid !== undefined) return pid;
    if (init.exitCode !== null) throw await startError(cloud, name);
    await sleep(10);
  }
}

async function startError(cloud: Cloud, name: string): Promise<Error> {
  const log = await readFile(path.join(hostDir(cloud, name), "init.log"), "utf8");
  return new Error(`Host ${name} did not start: ${log.trim().split("\n").at(-1) ?? "its log is empty"}`);
}

function hostRole(name: string): string {
  return `machine:${name}`;
}

function initPath(cloud: Cloud): string {
  return path.join(cloud.binDir, "machine-init");
}
