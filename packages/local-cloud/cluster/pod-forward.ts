import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { freePort } from "../../../lib/free-port.ts";
import type { Cloud } from "../hosts/cloud.ts";
import { findProcesses, markerArguments, detachedEnvironment, nodeCommand } from "../hosts/processes.ts";

/** A pod, and its port to forward. */
export interface PodTarget {
  namespace: string;
  /** Label of the pod as NAME=VALUE. */
  label: string;
  /** Port of the pod. If this port is free on 127.0.0.1, it is also the local port. */
  port: number;
}

/**
 * Forwards a port of 127.0.0.1 to a pod through the Kubernetes API, in a detached process. The pod is looked
 * up for each connection, so a rescheduled pod is found again.
 *
 * @returns the port: the pod's own port number, or a free one if that is taken
 * @throws Error that names the log when the process exits during its start
 */
export async function startPodForward(cloud: Cloud, name: string, target: PodTarget): Promise<number> {
  const role = `forward:${name}`;
  const [running] = await findProcesses(cloud, role);
  const known = running?.argv.find((word) => word.startsWith("--port="))?.slice("--port=".length);
  if (known !== undefined) return Number(known);
  const start = (port: number) => startProcess(cloud, role, target, port);
  return (await start(target.port)) ?? (await start(await freePort())) ?? fail(cloud, role);
}

/**
 * Starts the detached process that forwards the port.
 *
 * @returns the port, or undefined if the process can't listen on it
 */
async function startProcess(
  cloud: Cloud,
  role: string,
  { namespace, label, port: podPort }: PodTarget,
  port: number,
): Promise<number | undefined> {
  const log = await openLog(cloud, role);
  const program = path.join(cloud.programsDir, "pod-forward/main.mjs");
  const args = [String(port), cloud.adminKubeconfig, namespace, label, String(podPort), `--port=${port}`];
  const [node = "", ...options] = nodeCommand;
  const child = spawn(node, [...options, program, ...args, ...markerArguments(cloud, role)], {
    cwd: "/",
    env: detachedEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "ipc"],
  });
  const listens = await Promise.race([
    once(child, "message").then(() => true),
    once(child, "exit").then(() => false),
  ]).finally(() => log.close());
  if (!listens) return undefined;
  child.disconnect();
  child.unref();
  return port;
}

async function openLog(cloud: Cloud, role: string) {
  const file = logFile(cloud, role);
  await mkdir(path.dirname(file), { recursive: true });
  return open(file, "a", 0o600);
}

function logFile(cloud: Cloud, role: string): string {
  return path.join(cloud.dir, "logs", `${role.replace(":", "-")}.log`);
}

function fail(cloud: Cloud, role: string): never {
  throw new Error(
    `The local cloud's process ${role} exited during its start; its log is ${logFile(cloud, role)}`,
  );
}
