import { AppsV1Api, CoreV1Api, PatchStrategy, setHeaderOptions, type V1Pod } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalAddresses, killHost, openCloud, removeCloud, startForwards } from "k8sfv-local-cloud";
import { detachDisk } from "k8sfv-local-cloud/testing";
import { builtNames, haproxyImage, haproxyRecipe, prometheusRecipes } from "k8sfv-local-cloud/images";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { pushAtOnce, startCiPushes, startSampleRuns, type CountedPush } from "./ci-pushes.ts";
import { kill, kubeConfig, namespace, podOf, podsOf, processesOf, untilReady } from "./pods.ts";
import { eventually } from "./prometheus.ts";
import { held } from "./pushes.ts";
import { openTestStack, type TestStack } from "./stack.ts";
import { usageDuring } from "./usage.ts";

const OLD_HAPROXY = `${haproxyImage}-before`;
const OLD_GATEWAY = `${builtNames().pushGateway}-before`;
/**
 * Time in ms from the deletion of a lost node's pod until Kubernetes detaches its disk
 * (maxWaitForUnmountDuration).
 */
const FORCE_DETACH_MS = 6 * 60_000;
const GATEWAY_DISK = { zone: "us-central1-b", name: "k8sfv-push-gateway" };

/**
 * Tests pushes while pods, nodes and images are replaced. The client that k8sfv uses and two other clients
 * push from the CI host, each of them one push after the other and without retries. The test counts every
 * push. Does not prove:
 *
 * - how Google's load balancer treats connections (packages/local-cloud/cluster/client-routes.ts documents
 *   the assumptions), nor its timeouts;
 * - the official image of HAProxy;
 * - that Kubernetes detaches the disk of a lost node. The local cloud does not, so the test detaches the disk
 *   after the time that Kubernetes documents.
 */
describe("pushes during replacements and failures", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;

  beforeAll(async () => {
    const toolchain = await ensureToolchain();
    const before = prometheusRecipes(toolchain, { ...builtNames(), pushGateway: OLD_GATEWAY });
    const old = before.filter(({ name }) => name === OLD_GATEWAY);
    stack = await openTestStack("front", [...old, haproxyRecipe(OLD_HAPROXY)]);
    outputs = await stack.up();
    addresses = await startForwards(stack.cloud, outputs);
    await untilReady(stack.cloud, "prom-gateway");
  });
  afterAll(() => removeCloud(openCloud("front")));

  const core = () => kubeConfig(stack.cloud).makeApiClient(CoreV1Api);

  /**
   * Pushes while `work` runs and for 5 more seconds, and checks that the accepted pushes are in the
   * Pushgateway.
   *
   * @returns all pushes whose status was not 202
   */
  async function during(what: string, work: () => Promise<unknown>): Promise<CountedPush[]> {
    const url = String(outputs.PROMPG_URL);
    const name = what.replaceAll(/\W+/g, "-");
    const clients = await startCiPushes(stack.cloud, url, { clients: 2, name });
    const runs = startSampleRuns(stack.cloud, outputs);
    await sleep(2_000);
    const started = Date.now();
    const failed: unknown = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    const seconds = (Date.now() - started) / 1000;
    await sleep(5_000);
    const pushes = [...(await clients.stop()), ...(await runs.stop())];
    if (failed !== undefined) throw failed as Error;
    const bad = pushes.filter(({ status }) => status !== 202);
    const slowest = Math.max(...pushes.map(({ ms }) => ms));
    const real = pushes.filter(({ instance }) => instance === "sample-run").length;
    console.log(
      `${what}: ${seconds.toFixed(0)} s; ${pushes.length} pushes, ${real} by the real client; ` +
        `${bad.length} not accepted; longest wait ${(slowest / 1000).toFixed(1)} s`,
      bad,
    );
    expect(real).toBeGreaterThan(0);
    await isWhole(pushes);
    return bad;
  }

  /**
   * Checks that all accepted pushes are in the Pushgateway. The client that k8sfv uses pushes always to the same group,
   * where each push overwrites the values of the previous one. Therefore only its last push is checked, and only if no
   * push failed.
   */
  async function isWhole(pushes: CountedPush[]): Promise<void> {
    const accepted = pushes.filter(({ status }) => status === 202);
    await eventually(
      () => held(addresses.pushGateway),
      (there) =>
        accepted.every(({ instance, value }) => instance === "sample-run" || there.get(instance) === value),
    );
    const last = accepted.findLast(({ instance }) => instance === "sample-run");
    const text = await (await fetch(`${addresses.pushGateway}/metrics`)).text();
    const found = /^k8sfv_occupancy_mean_bytes\{.*\} (\S+)$/m.exec(text)?.[1];
    if (last !== undefined && pushes.every(({ status }) => status === 202)) {
      expect(Number(found)).toBe(last.value);
    }
  }

  async function cordon(node: string, unschedulable: boolean): Promise<void> {
    await core().patchNode(
      { name: node, body: { spec: { unschedulable } } },
      setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
    );
  }

  /** Evicts the workloads' pods from a node, like `kubectl drain`, until the node has none. */
  async function drain(node: string): Promise<void> {
    await cordon(node, true);
    for (;;) {
      const { items } = await core().listNamespacedPod({ namespace, fieldSelector: `spec.nodeName=${node}` });
      if (items.length === 0) return;
      await Promise.all(items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined).map(evict));
      await sleep(1_000);
    }
  }

  const evict = async ({ metadata }: V1Pod) => {
    const pod = { name: metadata?.name ?? "", namespace };
    // The PodDisruptionBudget rejects the eviction until the other replica is ready. The caller repeats it.
    await core()
      .createNamespacedPodEviction({ ...pod, body: { metadata: pod } })
      .catch(() => undefined);
  };

  /** Waits until the push queue has exactly two pods and both are ready. */
  const untilQueueReady = () =>
    eventually(
      () => podsOf(stack.cloud, "push-queue"),
      (pods) =>
        pods.length === 2 &&
        pods.every(({ status }) =>
          status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
        ),
    );

  it("are received by a replica of the push queue on each of the two nodes", async () => {
    const nodes = (await untilQueueReady()).map(({ spec }) => spec?.nodeName);
    expect(new Set(nodes).size).toBe(2);
  });

  it("are all accepted while the Pushgateway's node is drained, and then the other node", async () => {
    for (const which of ["one node", "the other node"]) {
      const node = (await podOf(stack.cloud, "prom-gateway")).spec?.nodeName ?? "";
      const bad = await during(`drain of ${which}`, async () => {
        await drain(node);
        expect((await untilReady(stack.cloud, "prom-gateway")).spec?.nodeName).not.toBe(node);
        await untilQueueReady();
      });
      await cordon(node, false);
      expect(bad).toEqual([]);
    }
  });

  it.each([
    ["the Pushgateway's image", "images.pushGateway", OLD_GATEWAY],
    ["HAProxy's image", "images.pushQueue", OLD_HAPROXY],
  ])("are all accepted while %s changes and while the change is rolled back", async (what, key, image) => {
    const { images } = await import("../../versions.ts");
    const now = key === "images.pushQueue" ? haproxyImage : builtNames(images).pushGateway;
    for (const [how, to] of [
      ["upgrade", image],
      ["rollback", now],
    ] as const) {
      await stack.set({ [key]: to });
      expect(await during(`${how} of ${what}`, () => stack.up())).toEqual([]);
      await untilQueueReady();
    }
  });

  it("are all accepted while the replicas of the push queue are deleted one after the other", async () => {
    for (const { metadata } of await podsOf(stack.cloud, "push-queue")) {
      const bad = await during("deletion of a replica", async () => {
        await core().deleteNamespacedPod({ name: metadata?.name ?? "", namespace });
        await sleep(1_000);
        await untilQueueReady();
        // Waits until the deleted pod has ended.
        await sleep(30_000);
      });
      expect(bad).toEqual([]);
    }
  });

  it("are all accepted while HAProxy is killed in one replica after the other, except those that the killed process was handling", async () => {
    for (const pod of await podsOf(stack.cloud, "push-queue")) {
      let killed = 0;
      const bad = await during("SIGKILL of a replica", async () => {
        const [one] = (await processesOf(pod)).filter(({ argv }) => argv.join(" ").includes("haproxy"));
        process.kill(one?.pid ?? Number.NaN, "SIGKILL");
        killed = Date.now();
        await sleep(1_000);
        await untilQueueReady();
      });
      expect(bad.filter(({ started }) => started > killed)).toEqual([]);
      expect(bad.length).toBeLessThanOrEqual(3);
    }
  });

  it("are all accepted while the Pushgateway is killed repeatedly", async () => {
    const bad = await during("SIGKILL of the Pushgateway, 4 times", async () => {
      for (let times = 0; times < 4; times += 1) {
        await kill(stack.cloud, "prom-gateway", "bin/pushgateway");
        await sleep(2_000);
        await untilReady(stack.cloud, "prom-gateway");
      }
    });
    expect(bad).toEqual([]);
  });

  it("wait for 5 minutes without a Pushgateway, 500 at the same time and within the push queue's memory limit, and are accepted", async () => {
    const scale = (replicas: number) =>
      kubeConfig(stack.cloud)
        .makeApiClient(AppsV1Api)
        .patchNamespacedDeploymentScale(
          { name: "prom-gateway", namespace, body: { spec: { replicas } } },
          setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
        );
    await scale(0);
    await eventually(
      () => podsOf(stack.cloud, "prom-gateway"),
      (pods) => pods.length === 0,
    );
    const url = String(outputs.PROMPG_URL);
    const waiting = pushAtOnce(stack.cloud, url, { clients: 500, bodyBytes: 100_000, name: "at-once" });
    const over = sleep(300_000);
    const usage = await usageDuring(stack.cloud, over);
    const most = Math.max(...["haproxy-1", "haproxy-2"].map((name) => usage.get(name)?.mib ?? Number.NaN));
    await scale(1);
    const pushes = await waiting;
    const slowest = Math.max(...pushes.map(({ ms }) => ms)) / 1000;
    console.log(
      `500 clients of 100 kB waited: a HAProxy container took up to ${most.toFixed(0)} MiB; longest wait ${slowest.toFixed(0)} s`,
    );
    expect(pushes.filter(({ status }) => status !== 202)).toEqual([]);
    expect(most).toBeLessThan(96);
    await untilReady(stack.cloud, "prom-gateway");
    await isWhole(pushes);
  });

  it.each([
    ["spot", { "cluster.acceptInterruptions": true, "cluster.spot": true }],
    ["machine type", { "cluster.machineType": "e2-standard-4" }],
  ])("are all accepted while the node pool is replaced: %s", async (what, changes) => {
    await stack.set(changes);
    expect(await during(`node pool replaced (${what})`, () => stack.up())).toEqual([]);
    await untilQueueReady();
  });

  it("are all accepted while a node is lost and doesn't come back, except those that the node was handling", async () => {
    const node = (await podOf(stack.cloud, "prom-gateway")).spec?.nodeName ?? "";
    let lostAt = 0;
    const bad = await during("a node lost for good", async () => {
      lostAt = Date.now();
      await killHost(stack.cloud, node);
      await eventually(
        async () =>
          (await core().listNamespacedPod({ namespace, fieldSelector: `spec.nodeName=${node}` })).items,
        (pods) =>
          pods.some(
            ({ metadata }) =>
              metadata?.deletionTimestamp !== undefined &&
              metadata.labels?.["app.kubernetes.io/name"] === "prom-gateway",
          ),
        600_000,
      );
      console.log(`its pod is deleted ${Math.round((Date.now() - lostAt) / 1000)} s after its loss`);
      await sleep(FORCE_DETACH_MS);
      await detachDisk(stack.cloud, GATEWAY_DISK);
      await untilReady(stack.cloud, "prom-gateway");
    });
    expect(bad.filter(({ started }) => started > lostAt)).toEqual([]);
    expect(bad.length).toBeLessThanOrEqual(3);
  });
}, 1_500_000);
