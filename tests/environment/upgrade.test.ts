import path from "node:path";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CRD_FILES } from "../../components/operator-crds.ts";
import {
  type LocalAddresses,
  openCloud,
  openEngine,
  readBack,
  removeCloud,
  runSample,
  stackOutputs,
  startForwards,
} from "k8sfv-local-cloud";
import { grafanaImage, haproxyImage, nodeImage, type PrometheusImages } from "k8sfv-local-cloud/images";
import { basicAuth } from "../../lib/grafana.ts";
import { images } from "../../versions.ts";
import { kubeConfig, namespace } from "./pods.ts";
import {
  buildPrevious,
  layOutProgram,
  OLDER_DEFINITIONS,
  previousImages,
  writeOlderDefinitions,
} from "./previous.ts";
import { eventually, query } from "./prometheus.ts";
import { held, lost, pushUntil, scraped } from "./pushes.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/**
 * Tests an upgrade by one `up` with existing data and incoming pushes: Prometheus from its previous minor
 * version, the Pushgateway from 1.9 (1.10 is not available as a Go module), the operator's CRDs, and new
 * images of the operator and its config reloader. The program before the upgrade is today's program with
 * older images and checksums. Does not prove:
 *
 * - that the operator continues the work of an older operator. No older one is available: the images before
 *   the upgrade contain today's program under another name, and the older CRDs are today's with changes;
 * - that Prometheus reads blocks of an older version, because it writes the first block after two hours;
 * - an upgrade of Grafana, for which the local cloud has a stand-in;
 * - an upgrade of the push proxy's Node: the proxy's image contains this computer's own Node.
 */
describe("an upgrade", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  /**
   * `seen` is a Unix time in seconds, before the upgrade, at which Prometheus had a run's samples. `before` is the
   * environment's data at that time.
   */
  let seen: number;
  let before: Awaited<ReturnType<typeof data>>;

  beforeAll(async () => {
    stack = await openTestStack("upgrade", await buildPrevious());
    const crds = path.join(stack.cloud.pulumiDir, "crds-before");
    await writeOlderDefinitions(stack.cloud.crdsDir, crds);
    const program = path.join(stack.cloud.pulumiDir, "before");
    await layOutProgram(program, crds);
    const engine = openEngine({ ...stack.cloud, crdsDir: crds });
    await engine.pulumi(["up", "--yes", "--skip-preview"], { cwd: program });
    outputs = await stackOutputs(engine);
    addresses = await startForwards(stack.cloud, outputs);
  });
  afterAll(() => removeCloud(openCloud("upgrade")));

  it("starts with the older versions", async () => {
    await expectRunning(previousImages, OLDER_DEFINITIONS, false);
  });

  it("has data before the upgrade", async () => {
    await readBack(addresses.grafana, outputs, await runSample(stack.cloud, outputs));
    // The time is rounded up, so that a query at this time also finds samples that were scraped in the current second.
    seen = Math.ceil(Date.now() / 1000);
    const response = await fetch(`${addresses.grafana}/api/annotations`, {
      method: "POST",
      headers: { ...basicAuth(outputs), "Content-Type": "application/json" },
      body: JSON.stringify({ text: "before the upgrade", tags: ["upgrade"] }),
    });
    expect(response.status).toBe(200);
    before = await data();
    expect(before.gateway.length).toBeGreaterThan(10);
    expect(before.prometheus.length).toBeGreaterThan(10);
    expect(before.annotations).toEqual(["before the upgrade"]);
  });

  it("loses neither data nor concurrent pushes in one `up`", async () => {
    const same = await identities();
    const started = Date.now();
    let over = false;
    const pushing = pushUntil(addresses.pushGateway, 4, () => over, { apart: true, pauseMs: 500 });
    const after = await stack.up().finally(() => (over = true));
    const seconds = Math.round((Date.now() - started) / 1000);
    const pushes = await pushing;
    console.log(`upgraded in ${seconds} s; pushes:`, pushes.answers, `slowest ${pushes.slowestMs} ms`);
    expect(after).toEqual(outputs);
    await expectRunning(images, versionOf(images.operator), true);
    expect(await identities()).toEqual(same);
    expect(pushes.accepted.size).toBeGreaterThan(50);
    expect(lost(pushes, await held(addresses.pushGateway))).toEqual([]);
    await eventually(
      () => scraped(addresses.prometheus),
      (there) => lost(pushes, there).length === 0,
    );
    expect(await data()).toEqual(before);
  });

  it("leaves nothing to update", async () => {
    await stack.engine.pulumi(["preview", "--diff", "--expect-no-changes"]);
  });

  /** Returns the current data of the Pushgateway and Grafana, and what Prometheus returns now for the time `seen`. */
  async function data() {
    const text = await (await fetch(`${addresses.pushGateway}/metrics`)).text();
    const samples = await query(addresses.prometheus, `{job="k8sfv",__name__=~"k8sfv_.+"} @ ${seen}`);
    const response = await fetch(`${addresses.grafana}/api/annotations?tags=upgrade`, {
      headers: basicAuth(outputs),
    });
    const annotations = (await response.json()) as { text: string }[];
    return {
      gateway: text.split("\n").filter((line) => /^(k8sfv_|push_time_seconds\{.*"k8sfv")/.test(line)),
      prometheus: samples.map(({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`).sort(),
      annotations: annotations.map(({ text }) => text),
    };
  }

  /** Checks the pods' images, the versions that Prometheus scrapes, and the operator version of the CRDs. */
  async function expectRunning(
    { operator, configReloader, prometheus, alertmanager, pushGateway }: PrometheusImages,
    version: string,
    hasHostUsers: boolean,
  ): Promise<void> {
    const own = [operator, configReloader, prometheus, alertmanager, pushGateway];
    const all = [...own, grafanaImage, nodeImage, haproxyImage].sort();
    await expect.poll(imagesOfPods, { timeout: 120_000, interval: 1_000 }).toEqual(all);
    const found = await definitions();
    const versions = found.map(({ metadata }) => metadata?.annotations?.["operator.prometheus.io/version"]);
    expect(versions).toEqual(Object.keys(CRD_FILES).map(() => version));
    const fields = found.find(({ spec }) => spec.names.kind === "Prometheus")?.spec.versions[0]?.schema
      ?.openAPIV3Schema?.properties?.["spec"]?.properties;
    expect("hostUsers" in (fields ?? {})).toBe(hasHostUsers);
    const versionLabels = [`prom-gateway ${versionOf(pushGateway)}`, `prometheus ${versionOf(prometheus)}`];
    // For five minutes, a query can still return series of the older version too. So the result must contain the
    // expected versions, but may also contain others.
    await expect
      .poll(versionsTold, { timeout: 90_000, interval: 1_000 })
      .toEqual(expect.arrayContaining(versionLabels));
  }

  async function imagesOfPods(): Promise<string[]> {
    const core = kubeConfig(stack.cloud).makeApiClient(CoreV1Api);
    const { items } = await core.listNamespacedPod({ namespace });
    const containers = items.flatMap(({ spec }) => [
      ...(spec?.initContainers ?? []),
      ...(spec?.containers ?? []),
    ]);
    return [...new Set(containers.map(({ image = "" }) => image))].sort();
  }

  async function definitions(): Promise<V1CustomResourceDefinition[]> {
    const { items } = await kubeConfig(stack.cloud)
      .makeApiClient(ApiextensionsV1Api)
      .listCustomResourceDefinition();
    return items.filter(({ spec }) => spec.group === "monitoring.coreos.com");
  }

  /**
   * Returns the UIDs of the CRDs and of the Prometheus resource. A recreated CRD would have another UID, and
   * Kubernetes would have deleted all its resources.
   */
  async function identities(): Promise<unknown[]> {
    const objects = kubeConfig(stack.cloud).makeApiClient(CustomObjectsApi);
    const prometheus = (await objects.getNamespacedCustomObject({
      ...{ group: "monitoring.coreos.com", version: "v1", namespace, plural: "prometheuses", name: "k8sfv" },
    })) as { metadata: { uid: string } };
    const found = await definitions();
    return [...found.map(({ metadata }) => metadata?.uid), prometheus.metadata.uid];
  }

  async function versionsTold(): Promise<string[]> {
    const builds = '{__name__=~"(prometheus|pushgateway)_build_info"}';
    const found = await query(addresses.prometheus, builds).catch(() => []);
    return found.map(({ metric }) => `${metric.job} ${metric.version}`);
  }
});

/** Returns the version in an image's name. */
function versionOf(image: string): string {
  return image.split(":v").at(-1) ?? "";
}
