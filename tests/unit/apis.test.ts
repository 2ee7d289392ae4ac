import * as pulumi from "@pulumi/pulumi";
import { expect, onTestFinished, test, vi } from "vitest";
import { mockEngine, settled, valueOf } from "./mocks.ts";
import { nameOf } from "./resource-options.ts";

test("enables the APIs that the program calls, and leaves them enabled on destroy", async () => {
  const recorded = await mockEngine();
  const { Apis } = await import("../../components/apis.ts");
  new Apis("apis", { project: "calico-test" });
  await settled(recorded);
  const services = recorded.filter(({ type }) => type === "gcp:projects/service:Service");
  expect(services.map(({ inputs }) => inputs.service)).toEqual([
    "cloudresourcemanager.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "iam.googleapis.com",
  ]);
  expect(services.every(({ inputs }) => inputs.disableOnDestroy === false)).toBe(true);
});

test("uses the component's provider to check whether the APIs accept requests", async () => {
  const providers: string[] = [];
  await mockEngine("test", false, undefined, ({ provider = "" }) => {
    providers.push(nameOf(provider));
    return Promise.resolve({});
  });
  const { Provider } = await import("@pulumi/gcp/provider.js");
  const { Apis } = await import("../../components/apis.ts");
  const google = new Provider("google", { project: "calico-test" });
  const { services } = new Apis("apis", { project: "calico-test" }, { providers: [google] });
  await valueOf(pulumi.output(services));
  expect(providers).toEqual(["google", "google", "google"]);
});

test("lets no resource be created through an API that doesn't accept requests yet", async () => {
  let acceptRequests = (): void => undefined;
  const accepting = new Promise<void>((resolve) => (acceptRequests = resolve));
  await mockEngine("test", false, undefined, async ({ token }) => {
    if (token.includes("getAccount")) await accepting;
    return {};
  });
  const { Apis } = await import("../../components/apis.ts");
  let isReady = false;
  const ready = valueOf(pulumi.output(new Apis("apis", { project: "calico-test" }).services)).then(
    (services) => {
      isReady = true;
      return services;
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isReady).toBe(false);
  acceptRequests();
  expect(await ready).toHaveLength(4);
});

test.each([
  "googleapi: Error 403: Access Not Configured, accessNotConfigured",
  'googleapi: Error 403: forbidden. Details: [{ "reason": "SERVICE_DISABLED" }]',
  "Error 403: Compute Engine API has not been used in project 7 before or it is disabled",
])("asks at most every 15 s and for ten minutes whether an API accepts requests: %s", async (refusal) => {
  const pauses: number[] = [];
  const passed = () => pauses.reduce((sum, pause) => sum + pause, 0);
  vi.doMock("node:timers/promises", () => ({
    setTimeout: (ms: number) => {
      pauses.push(ms);
      return Promise.resolve();
    },
  }));
  vi.resetModules();
  const clock = vi.spyOn(Date, "now").mockImplementation(passed);
  onTestFinished(() => {
    clock.mockRestore();
    vi.doUnmock("node:timers/promises");
    vi.resetModules();
  });
  const { waitUntilEnabled } = await import("../../components/api-readiness.ts");
  const never = () => Promise.reject(new Error(refusal));
  await expect(waitUntilEnabled("compute.googleapis.com", never)).rejects.toThrow("after 10 minutes");
  expect(pauses.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  expect(Math.max(...pauses)).toBe(15_000);
  expect(passed()).toBeGreaterThan(9 * 60_000);
  expect(passed()).toBeLessThanOrEqual(10 * 60_000);
});
