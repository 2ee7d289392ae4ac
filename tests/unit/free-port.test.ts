import { expect, test } from "vitest";
import { freePort } from "../../lib/free-port.ts";

test("returns no port twice, although nothing listens on the ports yet", async () => {
  // The function chooses from 10,000 ports at random. Without its memory of the returned ports, two of 500 would be
  // equal with a probability of more than 99.999 %.
  const ports = await Promise.all(Array.from({ length: 500 }, () => freePort()));
  expect(new Set(ports).size).toBe(500);
});

test("returns ports below those of outgoing connections", async () => {
  expect(await freePort()).toBeLessThan(30_000);
});
