import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { readJson, writeFileAtomic } from "../support/files.ts";
import type { Cloud } from "./cloud.ts";
import { ciHost, hostPid, removeHost, runIn, startHost, type HostSpec } from "./host.ts";

/** Address plan of the VPC. */
export interface NetworkSpec {
  /** Primary range of the subnetwork, e.g. `10.248.0.0/20`. */
  cidr: string;
  /** Address of the VPC's router in this range, e.g. `10.248.0.1`. */
  gateway: string;
}

/** The host that emulates the VPC: a bridge and a router, with no link to the outside. */
export const routerHost = "vpc";
/** The bridge to which every host in the VPC is attached. */
const bridge = "vpc0";
const BRIDGE_TIMEOUT_MS = 30_000;

/**
 * Creates the VPC and the CI host in it. No packet leaves the VPC: its router only has routes to the VPC's
 * own ranges. Does nothing for hosts that already run.
 */
export async function startNetwork(cloud: Cloud, network: NetworkSpec): Promise<void> {
  const { cidr, gateway } = network;
  const prefix = prefixLength(cidr);
  await mkdir(cloud.dir, { recursive: true, mode: 0o755 });
  await writeFileAtomic(networkFile(cloud), JSON.stringify(network));
  await startHost(cloud, {
    name: routerHost,
    setup: [
      ["ip", "link", "add", bridge, "type", "bridge"],
      ["ip", "address", "add", `${gateway}/${prefix}`, "dev", bridge],
      ["ip", "link", "set", bridge, "up"],
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"],
      // Without ICMP redirects, nodes don't learn to bypass the router. So pod traffic takes the same path as on GKE.
      ["sysctl", "--quiet", "--write", "net.ipv4.conf.all.send_redirects=0"],
      ["sysctl", "--quiet", "--write", `net.ipv4.conf.${bridge}.send_redirects=0`],
    ],
  });
  await waitForBridge(cloud);
  await startHost(cloud, { name: ciHost, ...attachToVpc(cloud, ciHost, network, ciAddress(cidr)) });
}

/**
 * Waits until the router's set-up commands, of which the last changes `send_redirects`, have run. On a busy computer,
 * this can take seconds after the router's start.
 */
async function waitForBridge(cloud: Cloud): Promise<void> {
  const setting = `/proc/sys/net/ipv4/conf/${bridge}/send_redirects`;
  const deadline = Date.now() + BRIDGE_TIMEOUT_MS;
  for (;;) {
    const value = await runIn(cloud, routerHost, ["cat", setting]).catch(() => undefined);
    if (value === "0") return;
    if (Date.now() > deadline) {
      throw new Error(
        `The VPC of local cloud ${cloud.name} has no bridge ${bridge} after ${BRIDGE_TIMEOUT_MS / 1000} s; ` +
          `its log is ${path.join(cloud.hostsDir, routerHost, "init.log")}`,
      );
    }
    await sleep(50);
  }
}

/**
 * Returns the VPC of the cloud.
 *
 * @throws Error when it does not exist
 */
export async function readNetwork(cloud: Cloud): Promise<NetworkSpec> {
  const network = await findNetwork(cloud);
  if (network === undefined) throw new Error(`Local cloud ${cloud.name} has no VPC yet`);
  return network;
}

/** Returns the VPC of the cloud, or undefined if it does not exist. */
export async function findNetwork(cloud: Cloud): Promise<NetworkSpec | undefined> {
  return (await readJson(networkFile(cloud))) as NetworkSpec | undefined;
}

/** Removes the VPC and the CI host in it. */
export async function stopNetwork(cloud: Cloud): Promise<void> {
  await removeHost(cloud, ciHost);
  await removeHost(cloud, routerHost);
  await rm(networkFile(cloud), { force: true });
}

/** Returns the parts of a host's definition that attach the host to the VPC with the address `address`. */
export function attachToVpc(
  cloud: Cloud,
  host: string,
  { cidr, gateway }: NetworkSpec,
  address: string,
): Required<Pick<HostSpec, "connect" | "setup">> {
  const port = portName(host);
  return {
    connect: async (pid) => {
      const router = await hostPid(cloud, routerHost);
      if (router === undefined) throw new Error(`The VPC of local cloud ${cloud.name} is not running`);
      // The kernel removes the interface of a stopped host asynchronously; the new interface needs the same name now.
      await runIn(cloud, routerHost, ["ip", "link", "delete", port]).catch(() => undefined);
      const ends = ["netns", String(router), "type", "veth", "peer", "name", "eth0", "netns", String(pid)];
      await execa("ip", ["link", "add", "name", port, ...ends]);
      await runIn(cloud, routerHost, ["ip", "link", "set", port, "master", bridge, "up"]);
    },
    setup: [
      ["ip", "address", "add", `${address}/${prefixLength(cidr)}`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", "default", "via", gateway],
    ],
  };
}

/** Routes a pod range to its node, like the secondary range of a VPC-native cluster. */
export async function routePods(cloud: Cloud, podCidr: string, nodeAddress: string): Promise<void> {
  await runIn(cloud, routerHost, ["ip", "route", "replace", podCidr, "via", nodeAddress]);
}

/** Adds a route to a range whose hosts are on the VPC's link but outside the subnetwork, e.g. Google's front end. */
export async function routeRange(cloud: Cloud, cidr: string): Promise<void> {
  await runIn(cloud, routerHost, ["ip", "route", "replace", cidr, "dev", bridge]);
}

/** Removes the route added by {@link routePods}, if it exists. */
export async function unroutePods(cloud: Cloud, podCidr: string): Promise<void> {
  if ((await hostPid(cloud, routerHost)) === undefined) return;
  await runIn(cloud, routerHost, ["ip", "route", "flush", podCidr]);
}

/** Derives an interface name, which has at most 15 characters, from a host's name. */
function portName(host: string): string {
  return `port-${createHash("sha256").update(host).digest("hex").slice(0, 8)}`;
}

function networkFile(cloud: Cloud): string {
  return path.join(cloud.dir, "network.json");
}

/**
 * Returns the CI host's address: the last usable address of the range. Google reserves the two addresses after it (VPC
 * documentation, "Unusable addresses in IPv4 subnet ranges").
 */
function ciAddress(cidr: string): string {
  const octets = (cidr.split("/")[0] ?? "").split(".").map(Number);
  const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const address = first + 2 ** (32 - Number(prefixLength(cidr))) - 3;
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function prefixLength(cidr: string): string {
  const prefix = cidr.split("/")[1];
  if (prefix === undefined) throw new Error(`"${cidr}" is not a CIDR range`);
  return prefix;
}
