import { readFile } from "node:fs/promises";
import path from "node:path";
import { ExecaError, execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Cloud,
  type Engine,
  type LocalAddresses,
  ciEnvironment,
  ciHost,
  commandIn,
  initStack,
  openBrowser,
  openCloud,
  openLocalEnvironment,
  readBack,
  removeCloud,
  runSample,
  stackOutputs,
  startForwards,
} from "k8sfv-local-cloud";
import { traces, tracesOf, watchCommandLines } from "k8sfv-local-cloud/testing";
import { queryGrafana } from "../../lib/grafana.ts";
import { TIMEOUT_MS, visitAsEngineer } from "./dashboard-visit.ts";
import { connects, podOf, podsOf } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { RECEIVER_CONFIG, Receivers } from "./receivers.ts";

/**
 * Tests the main use case on a separate local cloud, step by step like a maintainer and a CI job. Does not
 * prove what only Google provides (real quotas, IAM, its load balancers), nor Grafana's own server and pages.
 */
describe("the whole environment", () => {
  let cloud: Cloud;
  let engine: Engine;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  let receivers: Receivers | undefined;
  let before: string[];

  beforeAll(async () => {
    await removeCloud(openCloud("test")); // leftovers of a killed run
    before = await traces();
    ({ cloud, engine } = await openLocalEnvironment("test"));
    await initStack(cloud, engine);
  });

  afterAll(async () => {
    await receivers?.stop();
    await removeCloud(openCloud("test"));
  });

  it("reports all invalid configuration values in one error message, before anything is created", async () => {
    const bad = ["zone=Nowhere", "nodes=2", "crds=not a URL"];
    const args = bad.flatMap((value) => ["--config", `k8sfv-metrics:${value}`]);
    const refusal: unknown = await engine.pulumi(["preview", ...args]).catch((error: unknown) => error);
    await initStack(cloud, engine); // the engine has saved the invalid values
    expect(refusal).toBeInstanceOf(ExecaError);
    const output = (refusal as ExecaError).stdout;
    for (const problem of ['zone is "Nowhere"', 'nodes is "2"', 'crds is "not a URL"']) {
      expect(output).toContain(problem);
    }
    await expect(readFile(cloud.googleFile)).rejects.toThrow("ENOENT");
  });

  it("previews all resources and creates nothing", async () => {
    const stdout = await engine.pulumi(["preview", "--diff"]);
    expect(stdout).toContain("gcp:container/cluster:Cluster");
    expect(stdout).toContain("kubernetes:monitoring.coreos.com/v1:Prometheus");
    expect(stdout).toContain("grafana:oss/dataSource:DataSource");
    const state = await engine.pulumi(["stack", "export"]);
    expect((JSON.parse(state) as { deployment: object }).deployment).not.toHaveProperty("resources");
  });

  it("is created by one `up`", async () => {
    const { alertWebhookUrl } = RECEIVER_CONFIG.secret;
    await engine.pulumi(["config", "set", "--secret", "alertWebhookUrl", alertWebhookUrl]);
    await engine.pulumi(["config", "set", "--path", "k8sfv-metrics:alerts.collectMinutes", "1"]);
    await engine.pulumi(["up", "--yes", "--skip-preview"]);
    outputs = await stackOutputs(engine);
    addresses = await startForwards(cloud, outputs);
    expect(outputs).toMatchObject({
      PROMPG_URL: "http://10.248.1.4:9091",
      PROMETHEUS_URL: "http://10.248.1.6:9090",
      GRAFANA_URL: "http://10.248.1.7:3000",
    });
  });

  it("exports the outputs for a shell, as CI uses them", async () => {
    const stdout = await engine.pulumi(["stack", "output", "--shell"]);
    expect(stdout.split("\n")).toContain("PROMPG_URL=http://10.248.1.4:9091");
  });

  // The alert about this failed test needs two to three minutes: for recording rules, alert rules, and the minute for
  // which Alertmanager collects alerts into one message. So a later test checks that the message arrives.
  it("accepts a run with a failed test and a URL as code level", async () => {
    receivers = await Receivers.start(cloud);
    const level = Buffer.from("https://github.com/projectcalico/felix.git-master").toString("base64url");
    const url = `${addresses.pushGateway}/metrics/job/k8sfv/code_level@base64/${level}`;
    const body = '# TYPE k8sfv_test_result gauge\nk8sfv_test_result{test_name="should not leak memory"} 0\n';
    await eventually(
      () => fetch(url, { method: "PUT", body }),
      ({ status }) => status === 202,
    );
  });

  it("shows a run that the CI host pushed in Grafana", async () => {
    const sample = await runSample(cloud, outputs);
    expect(await readBack(addresses.grafana, outputs, sample)).toBe(sample.occupancyMeanBytes);
    const passing = await queryGrafana(
      addresses.grafana,
      outputs,
      `sum(k8sfv_test_result{code_level="${sample.codeLevel}"})`,
    );
    expect(passing).toEqual([sample.passing]);
  });

  it("shows the run in the dashboards in a browser", async () => {
    await eventually(
      () => query(addresses.prometheus, 'nightly:k8sfv_test_result{code_level="dev"}'),
      (found) => found.length > 0,
    );
    const browser = await openBrowser({ width: 1600, height: 1200 });
    try {
      browser.context.setDefaultTimeout(TIMEOUT_MS);
      const { GRAFANA_USER: user, GRAFANA_PASSWORD: password } = outputs;
      await visitAsEngineer(await browser.context.newPage(), {
        url: addresses.grafana,
        user: String(user),
        password: String(password),
        codeLevel: "dev",
        isNew: true,
      });
    } finally {
      await browser.close();
    }
  });

  it("keeps the pushed labels and adds none of the Pushgateway's pod", async () => {
    const response = await fetch(`${addresses.prometheus}/api/v1/query?query=k8sfv_test_result`);
    const { data } = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } };
    expect(data.result.length).toBeGreaterThan(0);
    for (const { metric } of data.result) {
      expect(Object.keys(metric).sort()).toEqual(["__name__", "code_level", "job", "test_name"]);
      expect(metric.job).toBe("k8sfv");
    }
  });

  it("provides addresses but no administrator's secret to a CI job", () => {
    const env = ciEnvironment(cloud, outputs);
    expect(env.PROMPG_URL).toBe(outputs.PROMPG_URL);
    expect(Object.values(env)).not.toContain(outputs.GRAFANA_PASSWORD);
  });

  it("lets pods of other namespaces push, but nothing else", async () => {
    const stranger = await podOf(cloud, "kube-dns", "kube-system");
    const reaches = async (name: string, port: number) =>
      connects(stranger, (await podsOf(cloud, name))[0]?.status?.podIP ?? "", port);
    expect(await reaches("push-queue", 9091)).toBe(true);
    expect(await reaches("prom-gateway", 9091)).toBe(false);
    expect(await reaches("prometheus", 9090)).toBe(false);
    expect(await reaches("grafana", 3000)).toBe(false);
  });

  it("passes the smoke test, which prints no secret and leaves no data in the Pushgateway", async () => {
    const seen = watchCommandLines(String(outputs.GRAFANA_PASSWORD));
    const { exitCode, all } = await smoke();
    expect(all).toContain("Grafana's data source my-prom returns it");
    expect(all).toContain("Alertmanager has the alert Watchdog, which always fires");
    expect(all).toContain("smoke: all is well");
    expect(exitCode).toBe(0);
    expect(all).not.toContain(String(outputs.GRAFANA_PASSWORD));
    expect(await seen.stop()).toEqual([]);
    expect(await (await fetch(`${addresses.pushGateway}/metrics`)).text()).not.toContain("smoke");
  });

  it("passes the smoke test from inside the VPC through the reserved addresses", async () => {
    const smoke = ["node_modules/tsx/dist/cli.mjs", "tools/smoke.ts"].map((file) => path.resolve(file));
    // The command enters only the CI host's network namespace, because in the host's mount namespace its own /tmp and
    // /var may hide the project's files.
    const command = ["node", ...smoke, "local", "--direct"];
    const [file, ...args] = await commandIn(cloud, ciHost, command, "network");
    const { stdout } = await execa(file, args, { env: { K8SFV_CLOUD: cloud.name } });
    expect(stdout).toContain("Alertmanager has the alert Watchdog, which always fires");
    expect(stdout).toContain("smoke: all is well");
  });

  it("fails the smoke test, which names the broken component", async () => {
    const scale = (replicas: number) =>
      execa(path.join(cloud.binDir, "kubectl"), [
        ...["--kubeconfig", cloud.adminKubeconfig, "--namespace", "monitoring"],
        ...["scale", "deployment", "prom-gateway", `--replicas=${replicas}`],
      ]);
    await scale(0);
    const { exitCode, all } = await smoke();
    await scale(1);
    expect(exitCode).toBe(1);
    expect(all).toContain("FAILED  Pushgateway responds");
    expect(all).toMatch(/Pushgateway: .* 503: The Pushgateway does not respond/);
    expect(all).toContain("ok      Prometheus responds");
    expect(all).toContain("ok      Alertmanager has the alert Watchdog");
  });

  it("needs no update if nothing changed", async () => {
    await engine.pulumi(["preview", "--expect-no-changes"]);
    await engine.pulumi(["up", "--yes", "--expect-no-changes"]);
  });

  it("sends one message about the failed test to the webhook", async () => {
    const found = () => receivers?.webhook("alertname", "TestFailed") ?? [];
    await receivers?.until(() => found()[0], 240_000);
    expect(found()).toHaveLength(1);
    const [message] = found();
    expect(message?.commonLabels).toMatchObject({ alertname: "TestFailed", kind: "nightly" });
    expect(message?.alerts.map(({ annotations }) => annotations.summary)).toEqual([
      'projectcalico/felix master: "should not leak memory" failed',
    ]);
    const held = await fetch(
      `${addresses.alertmanager}/api/v2/alerts?filter=${encodeURIComponent('alertname="TestFailed"')}`,
    );
    expect(await held.json()).toHaveLength(1);
    await receivers?.stop();
  });

  function smoke() {
    const env = { K8SFV_CLOUD: cloud.name };
    return execa("npm", ["run", "--silent", "smoke", "--", "local"], { env, all: true, reject: false });
  }

  it("is destroyed completely and leaves nothing on the computer", async () => {
    const kinds = (await tracesOf(cloud)).map((trace) => trace.split(" ")[0]);
    expect(new Set(kinds)).toEqual(new Set(["process", "file", "cgroup"]));
    await engine.pulumi(["destroy", "--yes", "--skip-preview"]);
    const state = await engine.pulumi(["stack", "export"]);
    expect(
      (JSON.parse(state) as { deployment: { resources?: unknown[] } }).deployment.resources ?? [],
    ).toEqual([]);
    await removeCloud(cloud);
    expect(await tracesOf(cloud)).toEqual([]);
    expect(await traces()).toEqual(before);
  });
});
