import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import type { Server } from "node:net";
import path from "node:path";
import { typeScriptLoader } from "../plugin/version.ts";
import type { Cloud } from "./cloud.ts";
import { commandIn, hostPid } from "./host.ts";
import {
  findProcesses,
  killProcesses,
  markerArguments,
  detachedEnvironment,
  nodeCommand,
  type CloudProcess,
} from "./processes.ts";

/**
 * Runs a TypeScript program or its bundle in the network namespace of a host. Does nothing if the program already runs
 * there. Kills a process of the program that was started before the host's last restart.
 *
 * @returns the program's PID
 */
export async function startProgram(
  cloud: Cloud,
  host: string,
  role: string,
  [program, ...args]: [string, ...string[]],
): Promise<number> {
  const running = await findInNetwork(cloud, host, role);
  if (running !== undefined) return running.pid;
  await killProcesses(await findProcesses(cloud, role));
  const loader = program.endsWith(".ts") ? ["--import", typeScriptLoader] : [];
  const command = [...nodeCommand, ...loader, program, ...args];
  return spawnInNetwork(cloud, host, role, command);
}

/** Finds the process with that role and these arguments that runs in the host's current network namespace. */
export async function findInNetwork(
  cloud: Cloud,
  host: string,
  role: string,
  required: string[] = [],
): Promise<CloudProcess | undefined> {
  const wanted = [...required, await hostInstanceArgument(cloud, host)];
  const running = await findProcesses(cloud, role);
  return running.find(({ argv }) => wanted.every((word) => argv.includes(word)));
}

/**
 * Starts a detached process in the network namespace of a host, but with the file system and PIDs of the computer, and
 * passes it listening sockets of the caller's network namespace. Resolves when the process reports that it is ready.
 *
 * @returns the process's PID
 * @throws Error that names the log when the process exits before it is ready
 */
export async function spawnInNetwork(
  cloud: Cloud,
  host: string,
  role: string,
  command: string[],
  servers: Server[] = [],
): Promise<number> {
  const whole = [...command, await hostInstanceArgument(cloud, host), ...markerArguments(cloud, role)];
  const [file, ...args] = await commandIn(cloud, host, whole, "network");
  const logFile = path.join(cloud.dir, "logs", `${role.replace(":", "-")}.log`);
  await mkdir(path.dirname(logFile), { recursive: true });
  const log = await open(logFile, "a", 0o600);
  const child = spawn(file, args, {
    cwd: "/",
    env: detachedEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  const ready = Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error(`The local cloud's process ${role} exited during its start; its log is ${logFile}`);
    }),
  ]);
  for (const [index, server] of servers.entries()) {
    // Sending fails only if the process has exited, which is reported below.
    child.send({ index }, server, { keepOpen: false }, () => undefined);
  }
  await ready.finally(() => log.close());
  child.disconnect();
  child.unref();
  return child.pid ?? 0;
}

/**
 * Returns a command-line argument that marks a process as started during the host's current run. A process with the
 * argument of an earlier run is in that run's network namespace, which the host no longer uses.
 */
async function hostInstanceArgument(cloud: Cloud, host: string): Promise<string> {
  return `--machine=${await hostPid(cloud, host)}`;
}
