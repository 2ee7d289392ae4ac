/**
 * Program of the canary in tests of the push proxy: a fake Pushgateway that fails in the way that the name of a pushed
 * metric says.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { FakePushgateway } from "./fake-pushgateway.ts";

const port = Number(/:(\d+)$/.exec(process.argv[2] ?? "")?.[1]);
const canary = new FakePushgateway({ port });
const page = canary.page.bind(canary);
let pushes = 0;
let isTruncated = false;

const failures: Record<string, () => number | undefined> = {
  exits: () => process.exit(2),
  exits_if_used: () => (pushes > 1 ? process.exit(2) : undefined),
  is_killed_always: kill,
  is_killed_twice: () => {
    if (countUp("killed") <= 2) kill();
    return undefined;
  },
  exits_in_second_trial: () => (countUp("trials") === 2 ? process.exit(2) : undefined),
  fails: () => 500,
  needs_memory: () => {
    Buffer.alloc(400 * 2 ** 20, 1);
    return undefined;
  },
  has_secret: () => (process.env.PUSH_PROXY_CREDENTIALS === undefined ? undefined : process.exit(2)),
};

canary.fault = ({ method, path, body }) => {
  if (path.endsWith("/warm-up")) return undefined;
  if (path === "/metrics" && canary.samplesOf("page_fails").length > 0) return 500;
  if (method !== "PUT" && method !== "POST") return undefined;
  pushes += 1;
  isTruncated = body.includes("is_truncated");
  return Object.entries(failures).find(([name]) => new RegExp(`^${name}[ {]`, "m").test(body))?.[1]();
};
canary.page = () => (isTruncated ? page().slice(0, -30) : page());

function kill(): undefined {
  process.kill(process.pid, "SIGKILL");
}

/** Increments a counter that outlives the canary's process, and returns the new value. */
function countUp(name: string): number {
  const file = `${process.argv[1]}.${name}`;
  const count = existsSync(file) ? Number(readFileSync(file, "utf8")) + 1 : 1;
  writeFileSync(file, String(count));
  return count;
}

await canary.start();
