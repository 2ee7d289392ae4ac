import type { Cloud } from "../hosts/cloud.ts";
import { ciHost, runIn } from "../hosts/host.ts";
import { listNodes } from "./records/nodes.ts";

/** First three octets of the next-hop addresses that represent nodes. No host in the VPC has such an address. */
const HOPS = "169.254.77";

/**
 * Routes connections from the CI host to a load balancer's address: new connections go to `node`, and existing
 * connections stay with the node that answered their first packet. Google's passthrough load balancer does the same
 * (cloud.google.com/load-balancing/docs/internal, "Connection tracking"). If a lost node doesn't answer a client's SYN,
 * the client repeats the SYN. Google doesn't document which node gets a repeated SYN. Here, the new node gets it as
 * soon as the address has moved.
 */
export async function routeNewConnections(cloud: Cloud, address: string, node: string): Promise<void> {
  const mac = await runIn(cloud, node, ["ip", "-o", "link", "show", "eth0"], { namespaces: "network" });
  const ether = /link\/ether (\S+)/.exec(mac)?.[1];
  const number = await numberOf(cloud, node);
  const hop = `${HOPS}.${number}`;
  const chain = chainOf(address);
  await inShell(cloud, [
    `ip neigh replace ${hop} lladdr ${ether} dev eth0 nud permanent`,
    `ip route replace ${address}/32 via ${hop} dev eth0 onlink table ${1000 + number}`,
    `ip rule list | grep -q "fwmark 0x${number.toString(16)} " || ip rule add fwmark ${number} lookup ${1000 + number}`,
    `printf '${[
      "*mangle",
      `:${chain} -`,
      `-A ${chain} -m conntrack ! --ctstatus SEEN_REPLY -j CONNMARK --set-mark ${number}`,
      `-A ${chain} -j CONNMARK --restore-mark`,
      "COMMIT\\n",
    ].join("\\n")}' | iptables-restore --wait --noflush`,
    `iptables -w -t mangle -C OUTPUT ${jump(address)} 2>/dev/null || iptables -w -t mangle -A OUTPUT ${jump(address)}`,
  ]);
}

/** Ends the routing by {@link routeNewConnections}. Open connections to the address break. */
export async function removeRoutes(cloud: Cloud, address: string): Promise<void> {
  await inShell(cloud, [`iptables -w -t mangle -D OUTPUT ${jump(address)}`]).catch(() => undefined);
}

/**
 * Returns a number from 1 to 254, derived from the node's /24 pod range. It is unique among the few nodes of a local
 * cloud.
 */
async function numberOf(cloud: Cloud, node: string): Promise<number> {
  const spec = (await listNodes(cloud)).find(({ name }) => name === node);
  return (Number(spec?.podCidr.split(".")[2] ?? 0) % 254) + 1;
}

async function inShell(cloud: Cloud, lines: string[]): Promise<void> {
  await runIn(cloud, ciHost, ["sh", "-ec", lines.join("\n")], { namespaces: "network" });
}

function jump(address: string): string {
  return `-d ${address}/32 -p tcp -j ${chainOf(address)}`;
}

function chainOf(address: string): string {
  return `LB-${address}`;
}
