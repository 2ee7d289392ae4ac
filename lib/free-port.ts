import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Range of the returned ports. It ends below the ports that systems give to outgoing connections (Linux: from 32768,
 * /proc/sys/net/ipv4/ip_local_port_range) and below Kubernetes' node ports (from 30000), so that no connection takes a
 * returned port before the caller listens on it.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 29_999;
const MAX_TRIES = 100;

/** Ports that were tried. No port is tried twice, because a caller may get several before it listens on the first. */
const tried = new Set<number>();

/**
 * Returns a random port of 127.0.0.1 on which nothing listens, and never the same one twice.
 *
 * @throws Error if a hundred random ports are in use or were tried before
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (tried.has(port)) continue;
    tried.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `No free port found: ${MAX_TRIES} random ports of 127.0.0.1 from ${FIRST_PORT} to ${LAST_PORT} are in use or were tried before`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}
