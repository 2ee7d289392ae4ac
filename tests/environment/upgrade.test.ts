import path from "node:path";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CRD_FILES } from "../../components/operator-crds.ts";
import { openCloud, removeCloud } from "../../packages/local-cloud/cluster/index.ts";
import { openEngine, stackOutputs } from "../../packages/local-cloud/environment.ts";
import { startForwards, type LocalAddresses } from "../../packages/local-cloud/forwards.ts";
import { grafanaImage, nodeImage, type PrometheusImages } from "../../packages/local-cloud/images/index.ts";
import { basicAuth, readBack, runSample } from "../../packages/local-cloud/sample.ts";
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
 * An upgrade by one `up`, with data in place and pushes coming in: Prometheus from its minor version before, the
 * push gateway from 1.9 (1.10 can't be had as a Go module), the operator's definitions, and new images of the
 * operator and its config reloader. The program before is today's with the images and the checksums of then.
 * Not proved here: that the operator takes over what an older one made, since no older one can be had either (its
 * images before hold today's programs, and the definitions are today's made older); that Prometheus reads an
 * older one's blocks, of which the first is written after two hours; an upgrade of Grafana, of which one version
 * alone builds from its Go module; one of the push proxy's Node, which is the machine's own.
 */
describe("an upgrade", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  /** A time when Prometheus had a run's numbers, and what there was then. */
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

  it("starts from what is older", async () => {
    await expectRunning(previousImages, OLDER_DEFINITIONS, false);
  });

  it("has data to lose", async () => {
    await readBack(addresses.grafana, outputs, await runSample(stack.cloud, outputs));
    // Up: a scrape within this second is to count.
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

  it("loses none of it in one up, and no push that comes meanwhile", async () => {
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

  it("leaves nothing to change", async () => {
    await stack.engine.pulumi(["preview", "--diff", "--expect-no-changes"]);
  });

  /** What was there before: in the push gateway, in Prometheus at that time, and in Grafana. */
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

  /** Pods have these images, Prometheus sees their versions, and all definitions are of this operator. */
  async function expectRunning(
    { operator, configReloader, prometheus, alertmanager, pushGateway }: PrometheusImages,
    version: string,
    hasHostUsers: boolean,
  ): Promise<void> {
    const ours = [operator, configReloader, prometheus, alertmanager, pushGateway];
    const all = [...ours, grafanaImage, nodeImage].sort();
    await expect.poll(imagesOfPods, { timeout: 120_000, interval: 1_000 }).toEqual(all);
    const found = await definitions();
    const versions = found.map(({ metadata }) => metadata?.annotations?.["operator.prometheus.io/version"]);
    expect(versions).toEqual(Object.keys(CRD_FILES).map(() => version));
    const fields = found.find(({ spec }) => spec.names.kind === "Prometheus")?.spec.versions[0]?.schema
      ?.openAPIV3Schema?.properties?.["spec"]?.properties;
    expect("hostUsers" in (fields ?? {})).toBe(hasHostUsers);
    const told = [`prom-gateway ${versionOf(pushGateway)}`, `prometheus ${versionOf(prometheus)}`];
    // An older one is seen for five minutes more.
    await expect
      .poll(versionsTold, { timeout: 90_000, interval: 1_000 })
      .toEqual(expect.arrayContaining(told));
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

  /** What is new when a definition was deleted and made again: with it goes all that it defines. */
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

/** The version in an image's name. */
function versionOf(image: string): string {
  return image.split(":v").at(-1) ?? "";
}
