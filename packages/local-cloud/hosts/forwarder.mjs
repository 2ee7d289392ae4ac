// @ts-check
// Main module of the process that forward.ts starts. The process runs in the network namespace of a host. Its parent
// process opens the listening sockets in the parent's own network namespace, and sends them to this process. The module
// is plain JavaScript, which starts faster and needs less memory than TypeScript.
import { once } from "node:events";
import { connect } from "node:net";
import { pipeline } from "node:stream";

/** `HOST:PORT` of each socket's target, in the order of the sockets. */
const targets = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
let missing = targets.length;

/** Timeout of one connection attempt in milliseconds, and maximum number of attempts per client. */
const connectMs = 2_000;
const maxTries = 5;

/**
 * Connects to the target. After a timeout, retries with a new connection: the load balancer sends all packets of a
 * connection to the same pod, which may be gone. Does not retry when the target refuses the connection.
 *
 * @param {{ host: string | undefined, port: number }} target
 */
async function reach(target) {
  for (let tries = 1; ; tries += 1) {
    const upstream = connect(target);
    try {
      await once(upstream, "connect", { signal: AbortSignal.timeout(connectMs) });
      return upstream;
    } catch (error) {
      upstream.destroy();
      const unanswered = error instanceof Error && error.name === "AbortError";
      if (!unanswered || tries === maxTries) throw error;
    }
  }
}

process.on("message", (/** @type {{ index: number }} */ { index }, server) => {
  const [host, port] = (targets[index] ?? "").split(":");
  const listening = /** @type {import("node:net").Server} */ (server);
  listening.on("connection", (client) => {
    client.on("error", () => undefined);
    reach({ host, port: Number(port) }).then(
      (upstream) => {
        // pipeline() also closes the other end when either end fails.
        pipeline(client, upstream, () => undefined);
        pipeline(upstream, client, () => undefined);
      },
      () => client.destroy(),
    );
  });
  missing -= 1;
  if (missing === 0) process.send?.("ready");
});
process.on("SIGPIPE", () => undefined);
