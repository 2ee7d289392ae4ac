import { expect, test } from "vitest";
import { freePort } from "../../lib/free-port.ts";

test("returns no port twice, although nothing listens on the ports yet", async () => {
  // The function chooses from 10,000 ports at random. Without its memory of the returned ports, two of 500 would be
  // equal with a probability of more than 99.999 %. The calls are sequential. Concurrent calls listen on their ports at
  // the same time, so they would return different ports even without this memory.
  const ports = new Set<number>();
  for (let count = 0; count < 500; count += 1) ports.add(await freePort());
  expect(ports.size).toBe(500);
});

test("returns ports below those of outgoing connections", async () => {
  expect(await freePort()).toBeLessThan(30_000);
});
