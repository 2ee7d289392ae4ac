import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud } from "../cloud.ts";
import { startProgram } from "../in-network.ts";
import { killMachine, machinePid, removeMachine, runIn, startMachine } from "../machine.ts";
import { plugIn, readNetwork, routeRange } from "../network.ts";
import { findProcesses, killProcesses } from "../processes.ts";
import type { PolicyRule } from "./policy.ts";

/** Google's front end: it stands between the internet and the VPC, and forwards nothing by itself. */
export const frontEndMachine = "front-end";
/** A CI host on the internet: of the whole cloud it reaches the front end alone. */
export const outsideMachine = "outside";

/** Where the front end speaks to pods from (cloud.google.com/load-balancing/docs/health-checks). */
const PROXIES = { cidr: "35.191.0.0/16", address: "35.191.0.1" };
/** The internet: addresses that RFC 5737 keeps for documentation, so that they are nobody's. */
const INTERNET = { frontEnd: "198.51.100.1", outside: "198.51.100.10", prefix: 24 };
const ROLE = "front-end";

/** A host of a load balancer, as the front end's program reads it. */
export interface FrontEndHost {
  /** The load balancer's address on the internet. */
  address: string;
  /** The domain. */
  host: string;
  /** Files of the certificate for it; none as long as there is no certificate. */
  certificate?: { cert: string; key: string };
  redirectToHttps: boolean;
  /** Of the security policy; without one everybody may pass. */
  rules: PolicyRule[];
  healthCheck: { path: string; port: number };
  /** How long a backend may take to answer, in milliseconds. */
  timeoutMs: number;
  /** The pods behind it, as ADDRESS:PORT. */
  endpoints: string[];
}

/** File of the authority that the CI host on the internet trusts. */
export function internetAuthorityDir(cloud: Cloud): string {
  return path.join(frontEndDir(cloud), "pki");
}

/**
 * Starts the front end, which then serves nothing yet, and the CI host on the internet. Machines that run already
 * stay, and so does the front end's program.
 *
 * @returns the processes of which none may end
 */
export async function startFrontEnd(cloud: Cloud): Promise<number[]> {
  await mkdir(frontEndDir(cloud), { recursive: true, mode: 0o700 });
  await writeFrontEnd(cloud, []);
  const network = await readNetwork(cloud);
  // The link between the two goes with either of them, and is made when the other one starts.
  if ((await machinePid(cloud, frontEndMachine)) === undefined) await killMachine(cloud, outsideMachine);
  await startMachine(cloud, {
    name: frontEndMachine,
    connect: plugIn(cloud, frontEndMachine, network, PROXIES.address).connect,
    setup: [
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=0"],
      ["ip", "address", "add", `${PROXIES.address}/32`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", network.gateway, "dev", "eth0"],
      ["ip", "route", "add", "default", "via", network.gateway],
    ],
  });
  await routeRange(cloud, PROXIES.cidr);
  await startMachine(cloud, {
    name: outsideMachine,
    connect: (pid) => connectToInternet(cloud, pid),
    setup: [
      ["ip", "address", "add", `${INTERNET.outside}/${INTERNET.prefix}`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", "default", "via", INTERNET.frontEnd],
      // Names of the internet: domains, as if their owners had made the records.
      ["mount", "--bind", hostsFile(cloud), "/etc/hosts"],
    ],
  });
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const program = await startProgram(cloud, frontEndMachine, ROLE, [main, specFile(cloud)]);
  const machines = [frontEndMachine, outsideMachine].map((name) => machinePid(cloud, name));
  return [program, ...(await Promise.all(machines)).map((pid) => pid ?? 0)];
}

/** Has the front end, which runs, serve these hosts and no others. */
export async function serveHosts(cloud: Cloud, hosts: FrontEndHost[]): Promise<void> {
  await inFrontEnd(cloud, ["ip", "address", "flush", "dev", "lo", "scope", "global"]);
  for (const address of new Set(hosts.map(({ address }) => address))) {
    await inFrontEnd(cloud, ["ip", "address", "add", `${address}/32`, "dev", "lo"]);
  }
  await writeFrontEnd(cloud, hosts);
}

/** Ends the front end and the CI host on the internet, if they are there. */
export async function stopFrontEnd(cloud: Cloud): Promise<void> {
  await killProcesses(await findProcesses(cloud, ROLE));
  await removeMachine(cloud, outsideMachine);
  await removeMachine(cloud, frontEndMachine);
  await rm(frontEndDir(cloud), { recursive: true, force: true });
}

async function writeFrontEnd(cloud: Cloud, hosts: FrontEndHost[]): Promise<void> {
  // Whole at any time: the front end's program reads it at each request.
  await writeFile(`${specFile(cloud)}.new`, JSON.stringify(hosts), { mode: 0o600 });
  await rename(`${specFile(cloud)}.new`, specFile(cloud));
  const names = hosts.map(({ address, host }) => `${address} ${host}\n`);
  // Written in place: the machine has this very file.
  await writeFile(hostsFile(cloud), ["127.0.0.1 localhost\n", ...names].join(""));
}

/** A link between the front end and a new machine. */
async function connectToInternet(cloud: Cloud, pid: number): Promise<void> {
  const frontEnd = await machinePid(cloud, frontEndMachine);
  if (frontEnd === undefined)
    throw new Error(`The front end of the local cloud ${cloud.name} is not running`);
  await inFrontEnd(cloud, ["ip", "link", "delete", "internet"]).catch(() => undefined);
  const ends = ["netns", String(frontEnd), "type", "veth", "peer", "name", "eth0", "netns", String(pid)];
  await execa("ip", ["link", "add", "name", "internet", ...ends]);
  await inFrontEnd(cloud, [
    "ip",
    "address",
    "add",
    `${INTERNET.frontEnd}/${INTERNET.prefix}`,
    "dev",
    "internet",
  ]);
  await inFrontEnd(cloud, ["ip", "link", "set", "internet", "up"]);
}

function inFrontEnd(cloud: Cloud, command: string[]): Promise<string> {
  return runIn(cloud, frontEndMachine, command, { namespaces: "network" });
}

function frontEndDir(cloud: Cloud): string {
  return path.join(cloud.dir, "front-end");
}

function specFile(cloud: Cloud): string {
  return path.join(frontEndDir(cloud), "hosts.json");
}

function hostsFile(cloud: Cloud): string {
  return path.join(frontEndDir(cloud), "hosts");
}
