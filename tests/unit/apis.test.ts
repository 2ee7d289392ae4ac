import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
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
