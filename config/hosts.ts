import { isIPv4 } from "node:net";

/** Matches a host name: labels of letters, digits and inner dashes. */
const HOST_NAME = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const MAX_HOST_NAME = 253;
const MAX_PORT = 65535;

/**
 * Splits "HOST:PORT". Returns undefined unless the host is a name or an IPv4 address and the port is from 1 to
 * 65535.
 */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const [, host = "", digits = ""] = /^([^:]+):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  const port = Number(digits);
  const isHost = isIPv4(host) || (HOST_NAME.test(host) && host.length <= MAX_HOST_NAME);
  return isHost && port >= 1 && port <= MAX_PORT ? { host, port } : undefined;
}
