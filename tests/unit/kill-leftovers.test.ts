import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { processId } from "../../lib/process-id.ts";
import killLeftovers, { TEST_RUN } from "../kill-leftovers.ts";

const before = process.env[TEST_RUN];

afterEach(() => {
  if (before === undefined) Reflect.deleteProperty(process.env, TEST_RUN);
  else process.env[TEST_RUN] = before;
});

test("kills the processes of a test run that no longer exists, and keeps those of a running one", async () => {
  const start = async (run: string) => {
    const child = spawn("sleep", ["60"], { env: { PATH: process.env["PATH"], [TEST_RUN]: run } });
    await once(child, "spawn");
    return child;
  };
  // Process 1 exists, but with another start time.
  const left = await start("1-0");
  const used = await start(processId(process.pid) ?? "");
  try {
    const exited = once(left, "exit");
    killLeftovers();
    expect(await exited).toEqual([null, "SIGKILL"]);
    expect(used.exitCode ?? used.signalCode).toBeNull();
  } finally {
    left.kill("SIGKILL");
    used.kill("SIGKILL");
  }
});

test("marks the processes that this run starts", () => {
  killLeftovers();
  expect(process.env[TEST_RUN]).toBe(processId(process.pid));
});
