import path from "node:path";
import { expect, test } from "vitest";
import { openCloud } from "./cloud.ts";
import { driverName } from "./csi/index.ts";
import { readySince, registrationDir } from "./node.ts";

test("a socket's path has room for the longest names of cloud and node", () => {
  const cloud = openCloud("a".repeat(20));
  const socket = path.join(registrationDir(cloud, "n".repeat(63)), `${driverName}-reg.sock`);
  // sockaddr_un: 108 bytes with the zero at the end.
  expect(socket.length).toBeLessThanOrEqual(107);
});

test("a node is Ready by what its kubelet says after its start, not by what the cluster kept", () => {
  const start = new Date("2026-11-24T10:00:05.700Z").getTime();
  const node = (told: string, status = "True") => ({
    status: { conditions: [{ type: "Ready", status, lastHeartbeatTime: new Date(told) }] },
  });
  expect(readySince(node("2026-11-24T10:00:04Z"), start)).toBeUndefined();
  expect(readySince(node("2026-11-24T10:00:05Z"), start)?.status).toBe("True");
  expect(readySince(node("2026-11-24T10:00:07Z", "False"), start)?.status).toBe("False");
  // It ran already.
  expect(readySince(node("2026-11-24T09:00:00Z"), 0)?.status).toBe("True");
  expect(readySince(undefined, start)).toBeUndefined();
});
