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

/** Ports that were returned. A caller may choose several before it listens on the first. */
const returned = new Set<number>();

/**
 * Returns a random port of 127.0.0.1 on which nothing listens, and never the same one twice.
 *
 * @throws Error of the last try if a hundred ports are in use or were returned before
 */
export async function freePort(triesLeft = MAX_TRIES): Promise<number> {
  const port = randomInt(FIRST_PORT, LAST_PORT + 1);
  try {
    if (returned.has(port)) throw new Error(`Port ${port} was returned before`);
    returned.add(port);
    await listenOnce(port);
    return port;
  } catch (error) {
    if (triesLeft <= 1) throw error;
    return freePort(triesLeft - 1);
  }
}

function listenOnce(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, "127.0.0.1", () =>
      server.close(() => {
        resolve();
      }),
    );
  });
}
