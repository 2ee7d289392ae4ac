import { expect, test } from "vitest";
import { freePort } from "../../lib/free-port.ts";

test("returns no port twice, although nothing listens on the ports yet", async () => {
  // The function chooses from 10,000 ports at random. Without its memory of the returned ports, two of 500 would be
  // equal with a probability of more than 99.999 %.
  // The ports are chosen one after the other, because two that are tested at the same time differ anyway.
  const ports = new Set<number>();
  for (let count = 0; count < 500; count += 1) ports.add(await freePort());
  expect(ports.size).toBe(500);
});

test("returns ports below those of outgoing connections", async () => {
  expect(await freePort()).toBeLessThan(30_000);
});
