import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalAddresses, removeCloud, startForwards } from "k8sfv-local-cloud";
import { kill, podOf, untilReady } from "./pods.ts";
import { eventually } from "./prometheus.ts";
import { held, lost, pushUntil } from "./pushes.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/**
 * Number of crashes. The kubelet restarts the container immediately after the first crash, then after 10, 20,
 * 40 and 80 s.
 */
const CRASHES = 5;

/**
 * Tests pushes while the Pushgateway crashes repeatedly and the kubelet's back-off grows. Does not prove the maximum
 * back-off of 5 minutes, which takes seven crashes and 10 minutes.
 */
describe("pushes during a crash loop of the Pushgateway", { timeout: 900_000 }, () => {
  let stack: TestStack;
  let addresses: LocalAddresses;

  beforeAll(async () => {
    stack = await openTestStack("crash-loop");
    addresses = await startForwards(stack.cloud, await stack.up());
  });
  afterAll(() => removeCloud(stack.cloud));

  it("wait for each restart, and none is rejected or lost", async () => {
    let over = false;
    const pushing = pushUntil(addresses.pushGateway, 4, () => over, { timeoutMs: 400_000, pauseMs: 100 });
    const reasons = new Set<string>();
    for (let crashes = 0; crashes < CRASHES; crashes += 1) {
      // Repeated, because killing fails while the container is in back-off and has no process.
      await eventually(
        () => kill(stack.cloud, "prom-gateway", "bin/pushgateway"),
        () => true,
      );
      await sleep(3_000);
      const { status } = await podOf(stack.cloud, "prom-gateway");
      for (const { state } of status?.containerStatuses ?? []) reasons.add(state?.waiting?.reason ?? "");
    }
    await untilReady(stack.cloud, "prom-gateway");
    await sleep(2_000);
    over = true;
    const pushes = await pushing;
    console.log("crash loop:", Object.fromEntries(pushes.answers), "slowest", pushes.slowestMs, "ms");
    expect(reasons).toContain("CrashLoopBackOff");
    expect([...pushes.answers.keys()]).toEqual([202]);
    // The test must include a wait of more than 60 s, because the load balancer and the proxy had that timeout in
    // earlier versions.
    expect(pushes.slowestMs).toBeGreaterThan(60_000);
    expect(lost(pushes, await held(addresses.pushGateway))).toEqual([]);
  });
});
