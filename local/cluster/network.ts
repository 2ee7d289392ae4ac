import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { readJson, writeWhole } from "../files.ts";
import type { Cloud } from "./cloud.ts";
import { ciMachine, machinePid, removeMachine, runIn, startMachine, type MachineSpec } from "./machine.ts";

/** The VPC as the machines see it. */
export interface NetworkSpec {
  /** Primary range of the subnetwork, e.g. `10.248.0.0/20`. */
  cidr: string;
  /** Address of the VPC's router in it, e.g. `10.248.0.1`. */
  gateway: string;
}

/** The machine that is the VPC: a bridge and a router, with no link to anything outside. */
export const routerMachine = "vpc";
/** The bridge that every machine of the VPC is plugged into. */
const bridge = "vpc0";
const BRIDGE_TIMEOUT_MS = 30_000;

/**
 * Makes the VPC and the CI machine in it. Nothing leaves the VPC: its router knows the VPC's own ranges
 * only and has no other link. Does nothing for what runs already.
 */
export async function startNetwork(cloud: Cloud, network: NetworkSpec): Promise<void> {
  const { cidr, gateway } = network;
  const prefix = prefixLength(cidr);
  await mkdir(cloud.dir, { recursive: true, mode: 0o755 });
  await writeWhole(networkFile(cloud), JSON.stringify(network));
  await startMachine(cloud, {
    name: routerMachine,
    setup: [
      ["ip", "link", "add", bridge, "type", "bridge"],
      ["ip", "address", "add", `${gateway}/${prefix}`, "dev", bridge],
      ["ip", "link", "set", bridge, "up"],
      ["sysctl", "--quiet", "--write", "net.ipv4.ip_forward=1"],
      // Nodes must not learn to bypass the router: pods' traffic would take a path that GKE's does not.
      ["sysctl", "--quiet", "--write", "net.ipv4.conf.all.send_redirects=0"],
      ["sysctl", "--quiet", "--write", `net.ipv4.conf.${bridge}.send_redirects=0`],
    ],
  });
  await waitForBridge(cloud);
  await startMachine(cloud, { name: ciMachine, ...plugIn(cloud, ciMachine, network, ciAddress(cidr)) });
}

/** Waits for the last command of the router's set-up: the router runs before that, for seconds on a busy machine. */
async function waitForBridge(cloud: Cloud): Promise<void> {
  const setting = `/proc/sys/net/ipv4/conf/${bridge}/send_redirects`;
  const deadline = Date.now() + BRIDGE_TIMEOUT_MS;
  for (;;) {
    const value = await runIn(cloud, routerMachine, ["cat", setting]).catch(() => undefined);
    if (value === "0") return;
    if (Date.now() > deadline) throw new Error(`The VPC of the local cloud ${cloud.name} has no ${bridge}`);
    await sleep(50);
  }
}

/** The VPC of the cloud. @throws Error when it was not made */
export async function readNetwork(cloud: Cloud): Promise<NetworkSpec> {
  const network = await findNetwork(cloud);
  if (network === undefined) throw new Error(`The local cloud ${cloud.name} has no network yet`);
  return network;
}

/** The VPC of the cloud, undefined when it was not made. */
export async function findNetwork(cloud: Cloud): Promise<NetworkSpec | undefined> {
  return (await readJson(networkFile(cloud))) as NetworkSpec | undefined;
}

/** Ends the VPC and the CI machine in it. */
export async function stopNetwork(cloud: Cloud): Promise<void> {
  await removeMachine(cloud, ciMachine);
  await removeMachine(cloud, routerMachine);
  await rm(networkFile(cloud), { force: true });
}

/** The parts of a machine's spec that plug it into the VPC under that address. */
export function plugIn(
  cloud: Cloud,
  machine: string,
  { cidr, gateway }: NetworkSpec,
  address: string,
): Required<Pick<MachineSpec, "connect" | "setup">> {
  const port = portName(machine);
  return {
    connect: async (pid) => {
      const router = await machinePid(cloud, routerMachine);
      if (router === undefined) throw new Error(`The VPC of the local cloud ${cloud.name} is not running`);
      // The kernel takes the port of a machine that has ended away in its own time; its name is needed now.
      await runIn(cloud, routerMachine, ["ip", "link", "delete", port]).catch(() => undefined);
      const ends = ["netns", String(router), "type", "veth", "peer", "name", "eth0", "netns", String(pid)];
      await execa("ip", ["link", "add", "name", port, ...ends]);
      await runIn(cloud, routerMachine, ["ip", "link", "set", port, "master", bridge, "up"]);
    },
    setup: [
      ["ip", "address", "add", `${address}/${prefixLength(cidr)}`, "dev", "eth0"],
      ["ip", "link", "set", "eth0", "up"],
      ["ip", "route", "add", "default", "via", gateway],
    ],
  };
}

/** Sends a node's pod range to the node, as a VPC-native cluster's secondary range is routed. */
export async function routePods(cloud: Cloud, podCidr: string, nodeAddress: string): Promise<void> {
  await runIn(cloud, routerMachine, ["ip", "route", "replace", podCidr, "via", nodeAddress]);
}

/** Has the VPC know a range that is on its wire but not of its subnetwork, such as that of Google's front end. */
export async function routeRange(cloud: Cloud, cidr: string): Promise<void> {
  await runIn(cloud, routerMachine, ["ip", "route", "replace", cidr, "dev", bridge]);
}

/** Takes the route of {@link routePods} away, if it is there. */
export async function unroutePods(cloud: Cloud, podCidr: string): Promise<void> {
  if ((await machinePid(cloud, routerMachine)) === undefined) return;
  await runIn(cloud, routerMachine, ["ip", "route", "flush", podCidr]);
}

/** Interface names have at most 15 characters, machines' names more. */
function portName(machine: string): string {
  return `port-${createHash("sha256").update(machine).digest("hex").slice(0, 8)}`;
}

function networkFile(cloud: Cloud): string {
  return path.join(cloud.dir, "network.json");
}

/**
 * The CI machine's address: the last of the range that Google gives out. It keeps the last two for itself
 * (VPC documentation, "Unusable addresses in IPv4 subnet ranges").
 */
function ciAddress(cidr: string): string {
  const octets = (cidr.split("/")[0] ?? "").split(".").map(Number);
  const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const address = first + 2 ** (32 - Number(prefixLength(cidr))) - 3;
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function prefixLength(cidr: string): string {
  const prefix = cidr.split("/")[1];
  if (prefix === undefined) throw new Error(`"${cidr}" is no CIDR range`);
  return prefix;
}
