// @ts-check
// The process behind forward.ts. It runs in the network of a machine and gets its listening sockets, opened
// in the caller's network, over the channel to its parent. Plain JavaScript: it starts in a moment and stays small.
import { once } from "node:events";
import { connect } from "node:net";
import { pipeline } from "node:stream";

/** `HOST:PORT` of each socket, in order. */
const targets = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
let missing = targets.length;

/** How long a connection may take to be made, in milliseconds, and how many are tried for a client. */
const connectMs = 2_000;
const maxTries = 5;

/**
 * A connection to the target. One that nobody answers is tried anew: as long as it is the same one, it leads to
 * the pod that the load balancer chose for it, which may be gone. A refusal is passed on at once.
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
        // Either end may break off at any time: the other is then closed too, and nothing is left to do.
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
