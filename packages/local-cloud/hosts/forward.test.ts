import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { startDeafServer } from "../testing/deaf-server.ts";
import { freePort } from "../../../lib/free-port.ts";
import { openCloud, type Cloud } from "./cloud.ts";
import { startForwarder } from "./forward.ts";
import { startProgram } from "./in-network.ts";
import { findProcesses, killProcesses, markerArguments } from "./processes.ts";

/** Timeout of waits in ms, for a computer that does other work meanwhile: starting a process can take seconds then. */
const BUSY_MS = 30_000;

/** A cloud without hosts, in its own temporary directory. */
async function emptyCloud(): Promise<Cloud> {
  const dir = await mkdtemp(path.join(tmpdir(), "k8sfv-forward-"));
  const cloud = { ...openCloud("forward"), dir, binDir: path.join(dir, "bin") };
  onTestFinished(async () => {
    await killProcesses(await findProcesses(cloud));
    await rm(dir, { recursive: true });
  });
  return cloud;
}

/**
 * Starts a fake host without namespaces, which needs no root: commands "on" it run in the test's own network.
 *
 * @param first shell commands that run before each command
 */
async function startHost(cloud: Cloud, name: string, first = ""): Promise<void> {
  const script = `#!/bin/sh\n${first}\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n`;
  await writeFile(path.join(cloud.dir, "nsenter"), script, { mode: 0o755 });
  vi.stubEnv("PATH", `${cloud.dir}:${process.env.PATH ?? ""}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const run = ["--eval", "setInterval(() => {}, 1000)", "--", ...markerArguments(cloud, `machine:${name}`)];
  spawn(process.execPath, run, { argv0: path.join(cloud.binDir, "machine-init"), stdio: "ignore" });
  await vi.waitFor(async () => {
    expect(await findProcesses(cloud, `machine:${name}`)).toHaveLength(1);
  }, BUSY_MS);
}

/** Returns all data received from the port until the connection closes, or the code of the connection error. */
async function received(port: number): Promise<string> {
  return text(connect(port, "127.0.0.1")).catch((error: unknown) =>
    String((error as NodeJS.ErrnoException).code),
  );
}

async function greeter(): Promise<{ host: string; targetPort: number }> {
  const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  return { host: "127.0.0.1", targetPort: (server.address() as AddressInfo).port };
}

test("releases the port of a forwarder that fails to start", async () => {
  const cloud = await emptyCloud();
  const port = await freePort();
  const start = () => startForwarder(cloud, "people", "ci", [{ host: "127.0.0.1", targetPort: 1, port }]);
  await expect(start()).rejects.toThrow("Host ci of local cloud forward is not running");
  expect(await received(port)).toBe("ECONNREFUSED");
  await startHost(cloud, "ci", "exit 1");
  await expect(start()).rejects.toThrow(`forward:people exited during its start; its log is ${cloud.dir}`);
  // The listening socket was passed to the process that exited. The kernel closes the socket a moment after the exit.
  await vi.waitFor(async () => {
    expect(await received(port)).toBe("ECONNREFUSED");
  }, BUSY_MS);
});

test("closes connections made before the forwarder is ready and forwards later ones", async () => {
  const cloud = await emptyCloud();
  const port = await freePort();
  await startHost(cloud, "ci", "sleep 1");
  const starting = startForwarder(cloud, "people", "ci", [{ ...(await greeter()), port }]);
  const portsFile = path.join(cloud.dir, "forwards", "people.json");
  await vi.waitFor(() => readFile(portsFile), BUSY_MS);
  expect(await Promise.race([received(port), sleep(BUSY_MS, "no answer", { ref: false })])).toBe("");
  expect(await starting).toEqual([port]);
  expect(await received(port)).toBe("hello");
});

test("replaces a connection attempt that gets no answer with a new one", async () => {
  const cloud = await emptyCloud();
  await startHost(cloud, "ci");
  const deaf = await startDeafServer();
  const [port = 0] = await startForwarder(cloud, "people", "ci", [
    { host: "127.0.0.1", targetPort: deaf.port },
  ]);
  const answer = received(port);
  const [first] = await vi.waitUntil(() => unanswered(deaf.port), BUSY_MS);
  // Retransmissions of the kernel use the same source port, so another port is a new attempt.
  await vi.waitUntil(async () => (await unanswered(deaf.port))?.every((other) => other !== first), BUSY_MS);
  deaf.wake();
  expect(await answer).toBe("hello");
});

/** Returns the source ports of connections to the port in state SYN_SENT, or undefined if there are none. */
async function unanswered(port: number): Promise<[string, ...string[]] | undefined> {
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
  const to = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const SYN_SENT = "02";
  const [first, ...others] = lines
    .filter(([, , remote, state]) => remote === to && state === SYN_SENT)
    .map(([, local = ""]) => local);
  return first === undefined ? undefined : [first, ...others];
}

test("replaces a program that was started before its host's restart", async () => {
  const cloud = await emptyCloud();
  const program = path.join(cloud.dir, "program.mjs");
  await writeFile(program, 'process.send("ready"); setInterval(() => {}, 1000);');
  const start = () => startProgram(cloud, "front-end", "front-end", [program]);
  await startHost(cloud, "front-end");
  const first = await start();
  expect(await start()).toBe(first);
  await killProcesses(await findProcesses(cloud, "machine:front-end"));
  await startHost(cloud, "front-end");
  const second = await start();
  expect((await findProcesses(cloud, "front-end")).map(({ pid }) => pid)).toEqual([second]);
  expect(second).not.toBe(first);
});
