import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { openCloud } from "../hosts/cloud.ts";
import { driverName } from "./csi/index.ts";
import { readySince } from "./node.ts";
import { runcWrapper, writeNodeConfig } from "./node-config.ts";
import { registrationDir } from "./records/nodes.ts";

test("fits a socket path with the longest cloud and node names into 107 bytes", () => {
  const cloud = openCloud("a".repeat(20));
  const socket = path.join(registrationDir(cloud, "n".repeat(63)), `${driverName}-reg.sock`);
  // sockaddr_un.sun_path has 108 bytes, including the terminating NUL.
  expect(socket.length).toBeLessThanOrEqual(107);
});

test("ignores a Ready condition reported before the node's start", () => {
  const start = new Date("2026-11-24T10:00:05.700Z").getTime();
  const node = (heartbeat: string, status = "True") => ({
    status: { conditions: [{ type: "Ready", status, lastHeartbeatTime: new Date(heartbeat) }] },
  });
  expect(readySince(node("2026-11-24T10:00:04Z"), start)).toBeUndefined();
  expect(readySince(node("2026-11-24T10:00:05Z"), start)?.status).toBe("True");
  expect(readySince(node("2026-11-24T10:00:07Z", "False"), start)?.status).toBe("False");
  // For a node that was already running, `since` is 0, so that even an old Ready condition is accepted.
  expect(readySince(node("2026-11-24T09:00:00Z"), 0)?.status).toBe("True");
  expect(readySince(undefined, start)).toBeUndefined();
});

test("runs runc with containers in the node's cgroup", async () => {
  const dir = await mkdtemp(path.join(tmpdir(), "k8sfv-runc-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  await writeNodeConfig(dir, { wrapper: runcWrapper("/k8sfv-cloud-a/node-1") });
  await writeFile(path.join(dir, "runc"), '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o700 });
  const config = path.join(dir, "config.json");
  await writeFile(config, '{"linux":{"resources":{},"cgroupsPath":"/k8s.io/c0ffee"}}');
  const runc = async (...args: string[]) =>
    (await execa(path.join(dir, "etc/wrapper"), args, { env: { PATH: `${dir}:${process.env.PATH ?? ""}` } }))
      .stdout;

  expect(await runc("--root", "a b", "state", "c0ffee")).toBe("<--root><a b><state><c0ffee>");
  expect(await readFile(config, "utf8")).toContain('"/k8s.io/c0ffee"');
  expect(await runc("create", "--bundle", dir, "c0ffee")).toBe(`<create><--bundle><${dir}><c0ffee>`);
  expect(await readFile(config, "utf8")).toBe(
    '{"linux":{"resources":{},"cgroupsPath":"/k8sfv-cloud-a/node-1/c0ffee"}}',
  );
});
