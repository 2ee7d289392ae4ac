import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Cloud } from "../../hosts/cloud.ts";
import { startProgram } from "../../hosts/in-network.ts";
import { killHost, hostPid, removeHost, runIn, startHost } from "../../hosts/host.ts";
import { attachToVpc, readNetwork, routeRange } from "../../hosts/network.ts";
import { findProcesses, killProcesses } from "../../hosts/processes.ts";
import type { PolicyRule } from "./policy.ts";

/** The host of Google's front end: it is connected to the internet and the VPC and does not forward packets. */
export const frontEndHost = "front-end";
/** A CI host on the internet: it can only reach the front end. */
export const internetHost = "outside";

/** Source range of the front end's connections to pods (cloud.google.com/load-balancing/docs/health-checks). */
const PROXIES = { cidr: "35.191.0.0/16", address: "35.191.0.1" };
/** Addresses of the emulated internet, from a range reserved for documentation (RFC 5737). */
const INTERNET = { frontEnd: "198.51.100.1", outside: "198.51.100.10", prefix: 24 };
const ROLE = "front-end";

/** A host name that a load balancer serves. */
export interface VirtualHost {
  /** IP address of the load balancer on the internet. */
  address: string;
  /** Host name of the requests. */
  host: string;
  /** Paths of the host name's certificate and key; undefined until the certificate is issued. */
  certificate?: { cert: string; key: string };
  redirectToHttps: boolean;
  /** Rules of the security policy. Without rules all requests are allowed. */
  rules: readonly PolicyRule[];
  healthCheck: { path: string; port: number };
  /** Timeout of a backend's response in milliseconds. */
  timeoutMs: number;
  /** Addresses of the backend pods as ADDRESS:PORT. */
  endpoints: string[];
}

/** Directory of the certificate authority that the CI host on the internet trusts. */
export function internetAuthorityDir(cloud: Cloud): string {
  return path.join(frontEndDir(cloud), "pki");
}

/**
 * Starts the front end's host and the CI host on the internet, unless they run. The front end then serves no host names
 * yet. If the front end was not running, this also restarts the CI host, because the network link between the two is
 * created only when the CI host starts.
 *
 * @returns the PIDs that must be alive for the front end to work
 */
export async function startFrontEnd(cloud: Cloud): Promise<number[]> {
  await mkdir(frontEndDir(cloud), { recursive: true, mode: 0o700 });
  await writeFrontEnd(cloud, []);
  const network = await readNetwork(cloud);
  // If the front end is not running, also stop the CI host: its link to the front end is created only when it starts.
  if ((await hostPid(cloud, frontEndHost)) === undefined) await killHost(cloud, internetHost);
  await startHost(cloud, {
    name: frontEndHost,
    connect: attachToVpc(cloud, frontEndHost, network, PROXIES.address).connect,
    setup: [
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=0"],
      ["ip", "address", "add", `${PROXIES.address}/32`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", network.gateway, "dev", "eth0"],
      ["ip", "route", "add", "default", "via", network.gateway],
    ],
  });
  await routeRange(cloud, PROXIES.cidr);
  await startHost(cloud, {
    name: internetHost,
    connect: (pid) => connectToInternet(cloud, pid),
    setup: [
      ["ip", "address", "add", `${INTERNET.outside}/${INTERNET.prefix}`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", "default", "via", INTERNET.frontEnd],
      // There is no public DNS: the CI host resolves the virtual hosts' names by its /etc/hosts.
      ["mount", "--bind", hostsFile(cloud), "/etc/hosts"],
    ],
  });
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const program = await startProgram(cloud, frontEndHost, ROLE, [main, specFile(cloud)]);
  const pids = [frontEndHost, internetHost].map((name) => hostPid(cloud, name));
  return [program, ...(await Promise.all(pids)).map((pid) => pid ?? 0)];
}

/** Configures the running front end to serve these virtual hosts and no others. */
export async function serveHosts(cloud: Cloud, hosts: VirtualHost[]): Promise<void> {
  await inFrontEnd(cloud, ["ip", "address", "flush", "dev", "lo", "scope", "global"]);
  for (const address of new Set(hosts.map(({ address }) => address))) {
    await inFrontEnd(cloud, ["ip", "address", "add", `${address}/32`, "dev", "lo"]);
  }
  await writeFrontEnd(cloud, hosts);
}

/** Stops the front end and the emulated internet's CI host, if they run, and deletes their files. */
export async function stopFrontEnd(cloud: Cloud): Promise<void> {
  await killProcesses(await findProcesses(cloud, ROLE));
  await removeHost(cloud, internetHost);
  await removeHost(cloud, frontEndHost);
  await rm(frontEndDir(cloud), { recursive: true, force: true });
}

async function writeFrontEnd(cloud: Cloud, hosts: VirtualHost[]): Promise<void> {
  // Replaced by rename, because the front end reads the file for every request and must not see a part of it.
  await writeFile(`${specFile(cloud)}.new`, JSON.stringify(hosts), { mode: 0o600 });
  await rename(`${specFile(cloud)}.new`, specFile(cloud));
  const names = hosts.map(({ address, host }) => `${address} ${host}\n`);
  // Written in place because the CI host has bind-mounted this inode; a renamed file would have another one.
  await writeFile(hostsFile(cloud), ["127.0.0.1 localhost\n", ...names].join(""));
}

/** Creates a veth link between the front end and the emulated CI host, whose init process has the PID `pid`. */
async function connectToInternet(cloud: Cloud, pid: number): Promise<void> {
  const frontEnd = await hostPid(cloud, frontEndHost);
  if (frontEnd === undefined) throw new Error(`The front end of local cloud ${cloud.name} is not running`);
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
  return runIn(cloud, frontEndHost, command, { namespaces: "network" });
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
