import path from "node:path";
import { expect, test } from "vitest";
import { openCloud } from "../hosts/cloud.ts";
import { driverName } from "./csi/index.ts";
import { readySince } from "./node.ts";
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
  // The node was already running.
  expect(readySince(node("2026-11-24T09:00:00Z"), 0)?.status).toBe("True");
  expect(readySince(undefined, start)).toBeUndefined();
});
