import path from "node:path";
import { expect, test } from "vitest";
import { openCloud } from "./cloud.ts";
import { driverName } from "./csi/index.ts";
import { registrationDir } from "./node.ts";

test("a socket's path has room for the longest names of cloud and node", () => {
  const cloud = openCloud("a".repeat(20));
  const socket = path.join(registrationDir(cloud, "n".repeat(63)), `${driverName}-reg.sock`);
  // sockaddr_un: 108 bytes with the zero at the end.
  expect(socket.length).toBeLessThanOrEqual(107);
});
