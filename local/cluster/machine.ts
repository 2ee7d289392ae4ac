import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { execa, type Options } from "execa";
import type { Cloud } from "./cloud.ts";
import { findProcesses, killProcesses, marks, outlivingEnvironment } from "./processes.ts";

/** A process that a machine keeps running. */
export interface Unit {
  /** Also the name of its log file. */
  name: string;
  argv: string[];
  /** Added to the machine's environment. */
  env?: Record<string, string>;
}

/** What a machine is made of. */
export interface MachineSpec {
  /** The machine's name; also its host name. */
  name: string;
  /**
   * Bind mounts made before anything runs: source folder (made when absent) to target. Every machine has
   * /var, /tmp and /run of its own; the rest of the file system is the real one.
   */
  binds?: { source: string; target: string }[];
  /** Commands run once in the machine, in order, before its units. */
  setup?: string[][];
  units?: Unit[];
  /** Connects the machine, before its set-up runs: gets the process whose namespaces are the machine's. */
  connect?: (pid: number) => Promise<void>;
}

/** Where the controller-manager's host-path provisioner makes volumes; the same folder on every machine. */
export function volumesBind(cloud: Cloud): { source: string; target: string } {
  return { source: path.join(cloud.clusterDir, "volumes"), target: "/tmp/hostpath_pv" };
}

/** Namespaces of a machine that a command can be run in. */
const enter = { network: ["--net"], all: ["--net", "--pid", "--mount", "--uts"] } as const;

/** The machine that stands for a CI host in the VPC, without Kubernetes. */
export const ciMachine = "ci";

/** Folder of the machine's data and logs. */
export function machineDir(cloud: Cloud, name: string): string {
  return path.join(cloud.machinesDir, name);
}

/** Process 1 of the machine, as seen from outside, or undefined when the machine is not running. */
export async function machinePid(cloud: Cloud, name: string): Promise<number | undefined> {
  const processes = await findProcesses(cloud, machineRole(name));
  return processes.find(({ argv }) => argv[0] === initPath(cloud))?.pid;
}

/**
 * Starts a machine: network, process, mount and host-name namespaces of its own, with `machine-init` as
 * process 1. Does nothing when it runs already.
 *
 * @returns whether it was started now
 * @throws Error with the machine's own words when its set-up fails
 */
export async function startMachine(cloud: Cloud, spec: MachineSpec): Promise<boolean> {
  if ((await machinePid(cloud, spec.name)) !== undefined) return false;
  const dir = machineDir(cloud, spec.name);
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
      ...[initPath(cloud), ...marks(cloud, machineRole(spec.name))],
    ],
    // The folder is not the caller's: a machine must not keep somebody's folder busy.
    { cwd: "/", env: outlivingEnvironment(), detached: true, stdio: ["pipe", log.fd, log.fd] },
  ) as ChildProcessByStdio<Writable, null, null>;
  await once(init, "spawn");
  await log.close();
  init.unref();
  const pid = await waitForPid(cloud, spec.name, init);
  await spec.connect?.(pid);
  init.stdin.on("error", () => undefined); // a machine that has ended is reported below
  init.stdin.end(JSON.stringify(initSpec(cloud, spec, binds)));
  await sleep(50);
  if (init.exitCode !== null) throw await startError(cloud, spec.name);
  return true;
}

/** Ends the machine at once, as pulling its plug would; its data stays. */
export async function killMachine(cloud: Cloud, name: string): Promise<void> {
  await killProcesses(await findProcesses(cloud, machineRole(name)));
}

/** Ends the machine and removes its data. */
export async function removeMachine(cloud: Cloud, name: string): Promise<void> {
  await killMachine(cloud, name);
  await rm(machineDir(cloud, name), { recursive: true, force: true });
}

/** Command line that runs `command` in the machine's namespaces, all of them or the network's alone. */
export async function commandIn(
  cloud: Cloud,
  machine: string,
  command: string[],
  namespaces: keyof typeof enter = "all",
): Promise<[string, ...string[]]> {
  const pid = await machinePid(cloud, machine);
  if (pid === undefined)
    throw new Error(`The machine ${machine} of the local cloud ${cloud.name} is not running`);
  return ["nsenter", "--target", String(pid), ...enter[namespaces], "--", ...command];
}

/** Runs a command in the machine and gives its standard output; an error carries what it printed. */
export async function runIn(
  cloud: Cloud,
  machine: string,
  command: string[],
  options: Options & { namespaces?: keyof typeof enter } = {},
): Promise<string> {
  const { namespaces, ...rest } = options;
  const [file, ...args] = await commandIn(cloud, machine, command, namespaces);
  const { stdout } = await execa(file, args, { ...rest, stdin: "ignore", stdout: "pipe", encoding: "utf8" });
  return stdout as string;
}

function initSpec(cloud: Cloud, spec: MachineSpec, binds: { source: string; target: string }[]): object {
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
      log: path.join(machineDir(cloud, spec.name), `${name}.log`),
    })),
  };
}

async function waitForPid(cloud: Cloud, name: string, init: { exitCode: number | null }): Promise<number> {
  for (;;) {
    const pid = await machinePid(cloud, name);
    if (pid !== undefined) return pid;
    if (init.exitCode !== null) throw await startError(cloud, name);
    await sleep(10);
  }
}

async function startError(cloud: Cloud, name: string): Promise<Error> {
  const log = await readFile(path.join(machineDir(cloud, name), "init.log"), "utf8");
  return new Error(
    `The machine ${name} did not start: ${log.trim().split("\n").at(-1) ?? "it said nothing"}`,
  );
}

function machineRole(name: string): string {
  return `machine:${name}`;
}

function initPath(cloud: Cloud): string {
  return path.join(cloud.binDir, "machine-init");
}
