import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startPushProxy } from "./push-proxy-process.ts";

/**
 * Tests the push proxy's timeout of uploads with the bundled proxy and a fake Pushgateway.
 * tests/unit/push-proxy-upload.test.ts tests the rate of uploads without waiting.
 */
test("the push proxy rejects a push whose body stops in the middle with 408 after 10 s, and closes the connection", async () => {
  const proxy = await startPushProxy();
  onTestFinished(() => proxy.close());
  const changes = proxy.gateway.changes.length;
  const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1");
  socket.write("PUT /metrics/job/slow HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\na_metric 1\n");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 408 [^]*connection: close/i);
  expect(proxy.gateway.changes.length).toBe(changes);
});
