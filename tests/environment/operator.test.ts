import { setTimeout as sleep } from "node:timers/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalAddresses, removeCloud, startForwards } from "k8sfv-local-cloud";
import { waitUntilServed } from "../../components/served-crds.ts";
import { queryPanel, defaultRange, initialVariables, panelsOf } from "../../lib/panels.ts";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { labelsOf, valuesOf } from "./expected-values.ts";
import { CHAINS, ENDPOINTS, startFelix } from "./felix-exporter.ts";
import { connects, kubeConfig, namespace, podOf } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { openTestStack, type TestStack } from "./stack.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
/** Address of the CI host: the last one of 10.248.0.0/20 that Google assigns. */
const CI_HOST_ADDRESS = "10.248.15.253";
const PORT = 9091;
/**
 * Timeout in ms until Prometheus runs with a new configuration: 6 minutes and a margin. After its first reload, the
 * config reloader waits up to 3 minutes until Prometheus reports a later time of its last reload (thanos
 * pkg/reloader/tracker.go). This time has whole seconds, so it doesn't change if the reload happens in the second in
 * which Prometheus starts. Only then does the reloader watch its files. It finds a file that has changed before by
 * reading all files every 3 minutes.
 */
const RELOAD_MS = 420_000;
/** Port of the CI host that no scrape target has. Prometheus must not be able to connect to it. */
const OTHER_PORT = 9092;

/**
 * Tests changes of the Prometheus Operator's resources: adds and removes Felix targets, and makes a change that the
 * operator can't apply, so that `pulumi up` fails. A small server stands in for Felix. Does not test that `up` stops
 * waiting for the operator after its timeout of 10 minutes, because the test interrupts it earlier.
 */
describe("the Prometheus Operator", { timeout: 900_000 }, () => {
  let stack: TestStack;
  let addresses: LocalAddresses;
  let outputs: Record<string, unknown>;

  beforeAll(async () => {
    stack = await openTestStack("operator");
    outputs = await stack.up();
    addresses = await startForwards(stack.cloud, outputs);
  });

  afterAll(() => removeCloud(stack.cloud));

  it("is not started before the API server lists the resources of its CRDs", async () => {
    const config = kubeConfig(stack.cloud);
    const crds = config.makeApiClient(ApiextensionsV1Api);
    const crd = (plural: string, kind: string): V1CustomResourceDefinition => ({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.test.example.com` },
      spec: {
        group: "test.example.com",
        scope: "Namespaced",
        names: { plural, kind },
        versions: [
          { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        ],
      },
    });
    const lates = crd("lates", "Late");
    const wait = (timeoutMs?: number) =>
      waitUntilServed(config.exportConfig(), "metadata:\n  name: lates.test.example.com\n", timeoutMs);
    await expect(wait(2_000)).rejects.toThrow(/doesn't serve lates\.test\.example\.com/);
    const served = wait();
    await crds.createCustomResourceDefinition({ body: lates });
    await served;
    const list = await config
      .makeApiClient(CustomObjectsApi)
      .getAPIResources({ group: "test.example.com", version: "v1" });
    expect(list.resources.map(({ name }) => name)).toContain("lates");
    await crds.deleteCustomResourceDefinition({ name: "lates.test.example.com" });
  });

  it("scrapes Felix when a target is added to the configuration", async () => {
    await stack.set({ "felix.targets[0]": `${CI_HOST_ADDRESS}:${PORT}` });
    await stack.up();
    const felix = await startFelix(stack.cloud, PORT);
    try {
      const series = await eventually(
        () => query(addresses.prometheus, 'felix_cluster_num_workload_endpoints{job="felix"}'),
        (found) => found.length > 0,
        RELOAD_MS,
      );
      expect(series[0]?.value[1]).toBe(String(ENDPOINTS));
      expect(Object.keys(series[0]?.metric ?? {}).sort()).toEqual(["__name__", "instance", "job"]);
      expect(series[0]?.metric.instance).toBe(`${CI_HOST_ADDRESS}:${PORT}`);
      // The range of a panel ends at the last full step, which may be before the first scrape.
      await eventually(
        () => showsOnDashboard(),
        () => true,
      );
    } finally {
      await felix.stop();
    }
  });

  it("lets Prometheus connect to the target's port, but to no other port of that host", async () => {
    const servers = [await startFelix(stack.cloud, PORT), await startFelix(stack.cloud, OTHER_PORT)];
    const prometheus = await podOf(stack.cloud, "prometheus");
    expect(await connects(prometheus, CI_HOST_ADDRESS, PORT)).toBe(true);
    expect(await connects(prometheus, CI_HOST_ADDRESS, OTHER_PORT)).toBe(false);
    expect(await connects(await podOf(stack.cloud, "grafana"), CI_HOST_ADDRESS, PORT)).toBe(false);
    for (const server of servers) await server.stop();
  });

  it("leads to no alert while Felix isn't running", async () => {
    await eventually(
      () => query(addresses.prometheus, 'up{job="felix"} == 0'),
      (found) => found.length === 1,
    );
    // Alert rules are evaluated every minute, and an alert is pending from the first evaluation on.
    await sleep(75_000);
    expect(
      await query(addresses.prometheus, 'ALERTS{job="felix"} or ALERTS{alertname="TargetDown"}'),
    ).toEqual([]);
  });

  it("fails an `up` that the operator can't apply", async () => {
    await stack.set({
      "remoteWrite.url": `http://${CI_HOST_ADDRESS}:9201/write`,
      "remoteWrite.user": "k8sfv",
    });
    await setSecret("remoteWritePassword", "example");
    await stack.up();
    // The configuration already rejects every value that the operator would reject. To make the operator fail, the test
    // deletes the Secret that the Prometheus resource refers to.
    const core = kubeConfig(stack.cloud).makeApiClient(CoreV1Api);
    await core.deleteNamespacedSecret({ namespace, name: "prometheus-remote-write" });
    await eventually(reconciled, (condition) => condition?.status === "False");
    const failed = await failedUp({ "remoteWrite.url": `http://${CI_HOST_ADDRESS}:9202/write` });
    expect(failed.exitCode).not.toBe(0);
    expect(failed.stdout).toMatch(/prometheus-instance[^\n]*Reconciled/);
    await stack.engine.pulumi(["config", "rm", "k8sfv-metrics:remoteWrite"]);
    await stack.engine.pulumi(["config", "rm", "k8sfv-metrics:remoteWritePassword"]);
  });

  it("stops scraping Felix when the target is removed from the configuration", async () => {
    await stack.engine.pulumi(["config", "rm", "k8sfv-metrics:felix"]);
    await stack.up();
    await eventually(
      // Prometheus writes no staleness marker for a job that leaves its configuration, so queries return the
      // last sample for 5 more minutes. Therefore the query selects samples of the last 30 s.
      () => query(addresses.prometheus, 'timestamp(up{job="felix"}) > time() - 30'),
      (found) => found.length === 0,
      RELOAD_MS,
    );
    expect((await reconciled())?.status).toBe("True");
    await stack.engine.pulumi(["up", "--yes", "--expect-no-changes"]);
  });

  /** Runs `up` with a change that the operator can't apply. Interrupts `up` 20 s after the cluster has the change. */
  async function failedUp(changes: Record<string, string>): Promise<{ exitCode?: number; stdout: string }> {
    await stack.set(changes);
    const up = execa(path.join(stack.cloud.binDir, "pulumi"), ["up", "--yes", "--skip-preview"], {
      cwd: PROJECT,
      env: stack.engine.env,
      stdin: "ignore",
      reject: false,
    });
    await eventually(prometheus, ({ spec }) => spec.remoteWrite?.[0]?.url === changes["remoteWrite.url"]);
    await sleep(20_000);
    expect(up.exitCode).toBeNull();
    up.kill("SIGINT");
    return up;
  }

  async function setSecret(key: string, value: string): Promise<void> {
    await stack.engine.pulumi(["config", "set", "--secret", `k8sfv-metrics:${key}`, value]);
  }

  async function showsOnDashboard(): Promise<void> {
    const board = Object.values(dashboards(DEFAULT_THRESHOLDS)).find(
      ({ uid }) => uid === "k8s-scale-testing",
    );
    if (board === undefined) throw new Error("no such dashboard");
    const grafana = { url: addresses.grafana, outputs };
    const range = defaultRange(board);
    const variables = await initialVariables(grafana, board, range);
    for (const [title, value] of [
      ["Workload endpoints", ENDPOINTS],
      ["iptables chains", CHAINS],
    ] as const) {
      const panel = panelsOf(board).find((one) => one.title === title);
      if (panel === undefined) throw new Error(`no panel ${title}`);
      const [frame, ...more] = await queryPanel(grafana, panel, variables, range);
      if (frame === undefined) throw new Error(`${title} is empty`);
      expect(more).toEqual([]);
      expect(valuesOf(frame).at(-1)).toBe(value);
      expect(labelsOf(frame).instance).toBe(`${CI_HOST_ADDRESS}:${PORT}`);
    }
  }

  async function prometheus(): Promise<PrometheusResource> {
    const api = kubeConfig(stack.cloud).makeApiClient(CustomObjectsApi);
    const where = { group: "monitoring.coreos.com", version: "v1", plural: "prometheuses" };
    return (await api.getNamespacedCustomObject({
      ...where,
      namespace,
      name: "k8sfv",
    })) as PrometheusResource;
  }

  /** Returns the condition that reports whether the operator could apply the Prometheus resource. */
  async function reconciled(): Promise<{ type: string; status: string } | undefined> {
    return (await prometheus()).status?.conditions?.find(({ type }) => type === "Reconciled");
  }
});

interface PrometheusResource {
  spec: { remoteWrite?: { url: string }[] };
  status?: { conditions?: { type: string; status: string }[] };
}
