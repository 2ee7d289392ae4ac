// @ts-check
// The process behind forward.ts. It runs in the network of a machine and gets its listening sockets, opened
// in the caller's network, over the channel to its parent. Plain JavaScript: it starts in a moment and stays small.
import { connect } from "node:net";
import { pipeline } from "node:stream";

/** `HOST:PORT` of each socket, in order. */
const targets = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
let missing = targets.length;

process.on("message", (/** @type {{ index: number }} */ { index }, server) => {
  const [host, port] = (targets[index] ?? "").split(":");
  const listening = /** @type {import("node:net").Server} */ (server);
  listening.on("connection", (client) => {
    const upstream = connect({ host, port: Number(port) });
    // Either end may break off at any time: the other is then closed too, and nothing is left to do.
    pipeline(client, upstream, () => undefined);
    pipeline(upstream, client, () => undefined);
  });
  missing -= 1;
  if (missing === 0) process.send?.("ready");
});
process.on("SIGPIPE", () => undefined);
