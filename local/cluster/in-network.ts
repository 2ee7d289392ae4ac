import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import type { Server } from "node:net";
import path from "node:path";
import { typeScriptLoader } from "../plugin/version.ts";
import type { Cloud } from "./cloud.ts";
import { commandIn, machinePid } from "./machine.ts";
import { findProcesses, killProcesses, marks, outlivingEnvironment, type CloudProcess } from "./processes.ts";

/**
 * Has a program in TypeScript run in the network of a machine. Does nothing when it runs there already; one that
 * was started in an earlier life of the machine is ended first.
 *
 * @returns its process
 */
export async function startProgram(
  cloud: Cloud,
  machine: string,
  role: string,
  [program, ...args]: [string, ...string[]],
): Promise<number> {
  const running = await findInNetwork(cloud, machine, role);
  if (running !== undefined) return running.pid;
  await killProcesses(await findProcesses(cloud, role));
  const command = [process.execPath, "--import", typeScriptLoader, program, ...args];
  return spawnInNetwork(cloud, machine, role, command);
}

/** The process in that role that has these words among its arguments, if it is in the network that the machine has now. */
export async function findInNetwork(
  cloud: Cloud,
  machine: string,
  role: string,
  words: string[] = [],
): Promise<CloudProcess | undefined> {
  const wanted = [...words, await lifeMark(cloud, machine)];
  const running = await findProcesses(cloud, role);
  return running.find(({ argv }) => wanted.every((word) => argv.includes(word)));
}

/**
 * Starts a process of the cloud that lives on after this one, in the network of a machine but with the
 * file system and processes of the host, and hands it sockets of the caller's network. Resolves when the
 * process has said that it is ready.
 *
 * @returns the process
 * @throws Error naming the log when the process ends before that
 */
export async function spawnInNetwork(
  cloud: Cloud,
  machine: string,
  role: string,
  command: string[],
  servers: Server[] = [],
): Promise<number> {
  const whole = [...command, await lifeMark(cloud, machine), ...marks(cloud, role)];
  const [file, ...args] = await commandIn(cloud, machine, whole, "network");
  const logFile = path.join(cloud.dir, "logs", `${role.replace(":", "-")}.log`);
  await mkdir(path.dirname(logFile), { recursive: true });
  const log = await open(logFile, "a", 0o600);
  const child = spawn(file, args, {
    cwd: "/",
    env: outlivingEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  const ready = Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new Error(`The local cloud's ${role} ended at once; its log is ${logFile}`);
    }),
  ]);
  for (const [index, server] of servers.entries()) {
    // That it can't be sent is no news: the process has ended, which is reported.
    child.send({ index }, server, { keepOpen: false }, () => undefined);
  }
  await ready.finally(() => log.close());
  child.disconnect();
  child.unref();
  return child.pid ?? 0;
}

/** Marks a process of one life of a machine: in the next one, its network leads nowhere any more. */
async function lifeMark(cloud: Cloud, machine: string): Promise<string> {
  return `--machine=${await machinePid(cloud, machine)}`;
}
