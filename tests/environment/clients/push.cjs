// Pushes gauges to a Pushgateway with prom-client; see push.go for the arguments.
const { createRequire } = require("node:module");
const path = require("node:path");

const [, , method = "", url = "", jobName = "", ...pairs] = process.argv;
/** @type {(name: string) => typeof import("prom-client")} */
const load = createRequire(path.resolve("package.json"));
const client = load("prom-client");
const registry = new client.Registry();
for (const pair of pairs) {
  const [name = "", value] = pair.split("=");
  new client.Gauge({ name, help: "A pushed gauge.", registers: [registry] }).set(Number(value));
}
const { PUSH_USER, PUSH_PASSWORD } = process.env;
const options = PUSH_USER === undefined ? {} : { auth: `${PUSH_USER}:${PUSH_PASSWORD}` };

/**
 * prom-client 12 and older take a callback and pass it all statuses. Newer versions return a promise and reject it for
 * statuses from 400 on.
 *
 * @typedef {(params: { jobName: string }, callback: typeof end) => Promise<{ resp?: unknown }> | undefined} Push
 */
/** @type {{ push: Push, pushAdd: Push }} */
const gateway = new client.Pushgateway(url, options, registry);

/**
 * @param {unknown} error
 * @param {unknown} [response]
 */
function end(error, response) {
  const isResponse = typeof response === "object" && response !== null && "statusCode" in response;
  if (error === null && isResponse && Number(response.statusCode) < 400) return;
  console.error(error ?? response);
  process.exitCode = 1;
}

const pushed = method === "add" ? gateway.pushAdd({ jobName }, end) : gateway.push({ jobName }, end);
pushed?.then(({ resp }) => {
  end(null, resp);
}, end);
