import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forwardUnknownCalls } from "./language-host.ts";

let module: string;
let main: string;

beforeEach(async () => {
  module = await mkdtemp(path.join(tmpdir(), "language-host-test-"));
  const folder = path.join(module, "nodejs/cmd/pulumi-language-nodejs");
  await mkdir(folder, { recursive: true });
  main = path.join(folder, "main.go");
});

afterEach(() => rm(module, { recursive: true }));

// This checks only the edited source. The environment tests check that the edited language host compiles and forwards
// calls to the engine.
test("adds a handler of unknown calls to the resource monitor only", async () => {
  const own = "\t\tOptions: rpcutil.OpenTracingServerInterceptorOptions(nil),\n";
  const monitor = "\t\tOptions: rpcutil.OpenTracingServerInterceptorOptions(tracingSpan),\n";
  await writeFile(main, own + monitor);
  await forwardUnknownCalls(module);
  expect(await readFile(main, "utf8")).toBe(
    `${own}\t\tOptions: append(rpcutil.OpenTracingServerInterceptorOptions(tracingSpan), passOn(conn)),\n`,
  );
  expect(await readFile(path.join(path.dirname(main), "pass_on.go"), "utf8")).toContain(
    "func passOn(engine *grpc.ClientConn) grpc.ServerOption {",
  );
});

test("fails when the host's source has changed", async () => {
  await writeFile(main, "package main\n");
  await expect(forwardUnknownCalls(module)).rejects.toThrow("update language-host.ts");
});
