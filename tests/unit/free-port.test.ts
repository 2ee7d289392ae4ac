import { expect, test } from "vitest";
import { freePort } from "../../lib/free-port.ts";

test("returns no port twice, although nothing listens on the ports yet", async () => {
  // Of 500 random ports of 10,000, some are equal with a probability of more than 99.999 %.
  const ports = await Promise.all(Array.from({ length: 500 }, () => freePort()));
  expect(new Set(ports).size).toBe(500);
});

test("returns ports below those of outgoing connections", async () => {
  expect(await freePort()).toBeLessThan(30_000);
});
