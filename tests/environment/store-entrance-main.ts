// Reverse proxy of a long-term store, in place of a load balancer or Ingress. It requires a user and
// password, sends remote writes to the first receiver that responds, and all other requests to the query URL.
// It runs until its standard input ends.
//
// Arguments: port, "USER:PASSWORD", query URL, and the remote write URLs.
import { createServer } from "node:http";
import { arrayBuffer } from "node:stream/consumers";

const [port, credentials = "", queryUrl = "", ...writeUrls] = process.argv.slice(2);
const expected = `Basic ${Buffer.from(credentials).toString("base64")}`;

/**
 * Tries the receivers in order and returns the first response with a status below 500, or 502 if there is none.
 * Prometheus retries on 5xx.
 */
async function write(headers: Record<string, string>, body: ArrayBuffer): Promise<[number, Buffer]> {
  for (const url of writeUrls) {
    const response = await fetch(url, { method: "POST", headers, body }).catch(() => undefined);
    if (response !== undefined && response.status < 500) {
      return [response.status, Buffer.from(await response.arrayBuffer())];
    }
  }
  return [502, Buffer.from("no receiver responds\n")];
}

/** Returns the headers that Thanos Receive and Query read. */
function forwarded(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const names = ["content-type", "content-encoding", "x-prometheus-remote-write-version"];
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]])),
  );
}

async function answer(
  method: string,
  url: string,
  headers: NodeJS.Dict<string | string[]>,
  body: ArrayBuffer,
): Promise<[number, Buffer, string?]> {
  if (headers.authorization !== expected) return [401, Buffer.from("unauthorized\n")];
  if (url === "/api/v1/receive") return write(forwarded(headers), body);
  const sent = method === "GET" ? undefined : body;
  const response = await fetch(`${queryUrl}${url}`, { method, headers: forwarded(headers), body: sent });
  const type = response.headers.get("content-type") ?? undefined;
  return [response.status, Buffer.from(await response.arrayBuffer()), type];
}

const server = createServer((request, response) => {
  void (async () => {
    const { method = "GET", url = "/", headers } = request;
    const [status, body, type = "text/plain"] = await answer(
      method,
      url,
      headers,
      await arrayBuffer(request),
    ).catch((error: unknown): [number, Buffer] => [502, Buffer.from(String(error))]);
    response.writeHead(status, { "Content-Type": type }).end(body);
  })();
});
server.listen(Number(port), () => {
  console.log("ready");
});
process.stdin.on("end", () => process.exit()).resume();
