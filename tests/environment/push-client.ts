/**
 * Pushes until a line arrives on standard input, each push to a group of its own. Prints a line of JSON for
 * each push (CountedPush in ci-pushes.ts). Like client_golang the program has no timeout, and like CI jobs it
 * opens a connection for each push.
 *
 *     push-client.ts HOST PORT NAME PAUSE_MS BODY_BYTES CLIENTS
 *
 * If CLIENTS is not 0, that many clients push once, all at the same time, and the program exits.
 */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const [host, port, name, pauseMs, bodyBytes, clients] = process.argv.slice(2);
const padding = `# ${"x".repeat(Number(bodyBytes))}\n`;
const over = new AbortController();
process.stdin.once("data", () => {
  over.abort();
});

/** Pushes a value. @returns the HTTP status, or the error code if there is no response */
async function push(instance: string, value: number): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const body = `${padding}# TYPE pushed_value gauge\npushed_value ${value}\n`;
    const fail = (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    };
    const sent = request(
      {
        ...{ host, port, path: `/metrics/job/pushes/instance/${instance}`, method: "PUT", agent: false },
        headers: { "content-length": body.length, "content-type": "text/plain" },
      },
      (response) => {
        response.on("error", fail);
        response.resume().on("end", () => {
          resolve(response.statusCode);
        });
      },
    );
    sent.on("socket", (socket) => socket.setKeepAlive(true, 15_000));
    sent.on("error", fail);
    sent.end(body);
  });
}

async function count(value: number): Promise<void> {
  const started = Date.now();
  const instance = `${name}-${value}`;
  const status = await push(instance, value);
  console.log(JSON.stringify({ instance, value, status, started, ms: Date.now() - started }));
}

await Promise.all(Array.from({ length: Number(clients) }, (_, at) => count(at + 1)));
for (let value = 1; Number(clients) === 0 && !over.signal.aborted; value += 1) {
  await count(value);
  await sleep(Number(pauseMs));
}
process.exit();
