import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  NetworkingV1Api,
  RbacAuthorizationV1Api,
  type V1Pod,
} from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Cloud,
  type Engine,
  type LocalAddresses,
  ciHost,
  initStack,
  openCloud,
  openLocalEnvironment,
  removeCloud,
  runIn,
  runSample,
  stackOutputs,
  startForwards,
} from "k8sfv-local-cloud";
import { checkov, unexplained } from "./checkov.ts";
import { connects, kill, kubeConfig, hostConnects, namespace, podOf, podsOf, untilReady } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { held, lost, push, pushUntil, scraped, split } from "./pushes.ts";
import { usage, usageDuring, type Usage } from "./usage.ts";

const workloads = ["prometheus-operator", "prometheus", "alertmanager", "prom-gateway", "grafana"];

/** Tests the workloads under attacks, crashes and load. */
describe("workloads", () => {
  let cloud: Cloud;
  let engine: Engine;
  let outputs: Record<string, unknown>;
  let addresses: LocalAddresses;
  /** URL of the Pushgateway on this computer, with the password. */
  let gateway: string;

  beforeAll(async () => {
    await removeCloud(openCloud("work"));
    ({ cloud, engine } = await openLocalEnvironment("work"));
    await initStack(cloud, engine);
    await engine.pulumi(["config", "set", "--path", "k8sfv-metrics:pushGateway.auth", "true"]);
    await engine.pulumi(["up", "--yes", "--skip-preview"]);
    outputs = await stackOutputs(engine);
    addresses = await startForwards(cloud, outputs);
    const { username, password } = new URL(String(outputs.PROMPG_URL));
    gateway = addresses.pushGateway.replace("http://", `http://${username}:${password}@`);
    await untilUp();
  });
  afterAll(() => removeCloud(openCloud("work")));

  /** Waits until kube-proxy forwards to the new pod, a second or two after the pod is ready. */
  const untilUp = () =>
    eventually(
      () => fetch(`${addresses.pushGateway}/-/ready`),
      ({ ok }) => ok,
    );
  const pods = async (): Promise<Record<string, V1Pod>> =>
    Object.fromEntries(
      await Promise.all(
        [...workloads, "push-queue"].map(async (name) => [name, (await podsOf(cloud, name))[0]] as const),
      ),
    ) as Record<string, V1Pod>;

  it("are scraped with labels that don't change", async () => {
    const queue = (await podsOf(cloud, "push-queue")).flatMap(({ metadata, spec }) =>
      (spec?.containers ?? []).map(({ name }) => ["push-queue", `${metadata?.name}/${name}`]),
    );
    // The push proxy runs in the Pushgateway's pod, so its series have the instance prom-gateway.
    const expected = [...workloads.map((name) => [name, name]), ["push-proxy", "prom-gateway"], ...queue];
    const up = await eventually(
      () => query(addresses.prometheus, "up == 1"),
      (found) => found.length === expected.length,
    );
    for (const { metric } of up) {
      expect(Object.keys(metric).sort()).toEqual(["__name__", "instance", "job"]);
    }
    const found = up.map(({ metric }) => [metric.job, metric.instance]);
    expect(found.sort()).toEqual(expected.sort());
  });

  it("accept pushes with the password and reject others", async () => {
    await runSample(cloud, outputs);
    const { status } = await fetch(`${addresses.pushGateway}/metrics/job/nobody`, {
      method: "PUT",
      body: "a 1\n",
    });
    expect(status).toBe(401);
    expect(await push(gateway.replace(/:[^:@]+@/, ":wrong@"), "nobody", 1)).toBe(401);
    expect((await fetch(`${addresses.pushGateway}/metrics`)).status).toBe(401);
    await eventually(
      () => query(addresses.prometheus, "k8sfv_test_result"),
      (found) => found.length > 0,
    );
  });

  it("reject privileged pods in their namespace", async () => {
    const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
    const container = { name: "x", image: "x", securityContext: { privileged: true } };
    const refused: unknown = await core
      .createNamespacedPod({
        namespace,
        body: { metadata: { name: "x" }, spec: { containers: [container] } },
      })
      .catch((error: unknown) => error);
    expect((refused as ApiException<unknown>).code).toBe(403);
    expect(String((refused as ApiException<unknown>).body)).toContain('violates PodSecurity \\"restricted');
  });

  it("allow exactly the necessary connections", async () => {
    const found = await pods();
    const ports = {
      "prometheus-operator": 8080,
      prometheus: 9090,
      alertmanager: 9093,
      "prom-gateway": 9091,
      grafana: 3000,
      "push-queue": 9091,
    };
    const targets: [string, string, number][] = [
      ...Object.entries(ports).map(
        ([name, port]) => [name, found[name]?.status?.podIP ?? "", port] as [string, string, number],
      ),
      ["api", "10.250.0.1", 443],
      ["dns", (await podOf(cloud, "kube-dns", "kube-system")).status?.podIP ?? "", 53],
      ["outside", "10.248.0.1", 22],
    ];
    // A server in the VPC to which no pod of the stack may connect.
    const listener = `require("net").createServer().listen(22, "10.248.0.1")`;
    const listening = runIn(cloud, "vpc", [process.execPath, "-e", listener], { timeout: 120_000 }).catch(
      () => "",
    );
    const reached = async (connect: (host: string, port: number) => Promise<boolean>): Promise<string[]> => {
      const results = await Promise.all(targets.map(([, host, port]) => connect(host, port)));
      return targets.filter((_, at) => results[at]).map(([name]) => name);
    };
    const from = (pod: V1Pod | undefined) => reached((host, port) => connects(pod as V1Pod, host, port));
    expect(await from(found["prometheus"])).toEqual([...workloads, "api"]);
    expect(await from(found["grafana"])).toEqual(["prometheus", "alertmanager", "grafana", "dns"]);
    expect(await from(found["alertmanager"])).toEqual(["alertmanager"]);
    expect(await from(found["prom-gateway"])).toEqual(["prom-gateway"]);
    expect(await from(found["push-queue"])).toEqual(["prom-gateway", "push-queue"]);
    expect(await from(found["prometheus-operator"])).toEqual(["prometheus-operator", "api"]);
    // The stack's policies restrict only its own pods. So a pod of another namespace can reach the API server, DNS and
    // the server in the VPC, but of the stack's workloads only the push queue. The CI host can reach only the workloads
    // with reserved addresses.
    const stranger = await podOf(cloud, "kube-dns", "kube-system");
    expect(await from(stranger)).toEqual(["push-queue", "api", "dns", "outside"]);
    const ci = await reached((host, port) => hostConnects(cloud, ciHost, host, port));
    const ofPods = Object.keys(ports);
    expect(ci.filter((name) => ofPods.includes(name))).toEqual(["prometheus", "grafana", "push-queue"]);
    void listening;
  });

  it("keep one series of each pushed metric when the Pushgateway's pod is replaced", async () => {
    expect(await push(gateway, "moved", 1)).toBe(202);
    await eventually(
      () => scraped(addresses.prometheus),
      (found) => found.get("moved") === 1,
    );
    const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
    const before = await podOf(cloud, "prom-gateway");
    await core.deleteNamespacedPod({ name: before.metadata?.name ?? "", namespace });
    const after = await untilReady(cloud, "prom-gateway");
    expect(after.metadata?.uid).not.toBe(before.metadata?.uid);
    await eventually(
      () => push(gateway, "moved", 2),
      (status) => status === 202,
    );
    await eventually(
      () => scraped(addresses.prometheus),
      (found) => found.get("moved") === 2,
    );
    const response = await fetch(
      `${addresses.prometheus}/api/v1/series?match[]=pushed_value{instance="moved"}`,
    );
    expect(await response.json()).toMatchObject({
      data: [{ __name__: "pushed_value", instance: "moved", job: "pushes" }],
    });
  });

  it.each([
    ["prom-gateway", "bin/pushgateway"],
    ["prom-gateway", "canary/pushgateway"],
    ["prom-gateway", "node"],
    ["prometheus", "prometheus --"],
    ["grafana", "grafana"],
    ["alertmanager", "bin/alertmanager"],
    ["prometheus-operator", "operator"],
  ])("lose no accepted push when a process of %s is killed: %s", async (name, word) => {
    let over = false;
    const pushing = pushUntil(gateway, 4, () => over);
    await sleep(2_000);
    await kill(cloud, name, word);
    await sleep(4_000);
    over = true;
    const pushes = await pushing;
    await untilReady(cloud, name);
    expect(
      lost(
        pushes,
        await eventually(
          () => held(gateway),
          () => true,
        ),
      ),
    ).toEqual([]);
    expect([...pushes.answers.keys()]).toEqual([202]);
    await eventually(
      () => scraped(addresses.prometheus),
      (there) => lost(pushes, there).length === 0,
    );
  });

  it("reject invalid pushes and accept those of 500 concurrent clients for a minute", async () => {
    const { base, headers } = split(gateway);
    const put = async (body: string): Promise<number> => {
      const answer = await fetch(`${base}/metrics/job/bad`, { method: "PUT", headers, body });
      return answer.status;
    };
    const requested = new Map(
      Object.values(await pods()).flatMap(({ spec }) =>
        (spec?.containers ?? []).map(({ name, resources }) => [
          name,
          Number.parseInt(resources?.requests?.memory ?? "0"),
        ]),
      ),
    );
    const idle = await usage(cloud);
    const started = Date.now();
    const pushing = pushUntil(gateway, 500, () => Date.now() > started + 60_000);
    const loaded = usageDuring(cloud, pushing);
    expect(await put("#".repeat(50_000_000))).toBe(413);
    expect(await put("this is no metric\n")).toBe(400);
    expect(await put("late 1 1700000000000\n")).toBe(400);
    const pushes = await pushing;
    console.log("500 clients:", Object.fromEntries(pushes.answers), "slowest", pushes.slowestMs, "ms");
    expect([...pushes.answers.keys()]).toEqual([202]);
    expect(lost(pushes, await held(gateway))).toEqual([]);
    for (const { status } of Object.values(await pods())) {
      expect(status?.containerStatuses?.every(({ ready }) => ready)).toBe(true);
    }
    for (const [name, { cpu, mib }] of await loaded) {
      const before = idle.get(name) ?? { cpu: Number.NaN, mib: Number.NaN };
      const asRow = (usage: Usage) => `${Math.round(usage.cpu)} m, ${Math.round(usage.mib)} MiB`;
      console.log(`${name}: idle ${asRow(before)}; under load ${asRow({ cpu, mib })}`);
      expect(requested.get(name), name).toBeGreaterThan(before.mib);
    }
  });

  it("have no findings of checkov, except accepted ones", async () => {
    const config = kubeConfig(cloud);
    const core = config.makeApiClient(CoreV1Api);
    const apps = config.makeApiClient(AppsV1Api);
    const rbac = config.makeApiClient(RbacAuthorizationV1Api);
    const network = config.makeApiClient(NetworkingV1Api);
    const lists: [string, string, { items: object[] }][] = [
      ["v1", "Pod", await core.listNamespacedPod({ namespace })],
      ["v1", "Service", await core.listNamespacedService({ namespace })],
      ["v1", "ServiceAccount", await core.listNamespacedServiceAccount({ namespace })],
      ["v1", "ConfigMap", await core.listNamespacedConfigMap({ namespace })],
      ["apps/v1", "Deployment", await apps.listNamespacedDeployment({ namespace })],
      ["apps/v1", "StatefulSet", await apps.listNamespacedStatefulSet({ namespace })],
      ["networking.k8s.io/v1", "NetworkPolicy", await network.listNamespacedNetworkPolicy({ namespace })],
      ["rbac.authorization.k8s.io/v1", "Role", await rbac.listNamespacedRole({ namespace })],
      ["rbac.authorization.k8s.io/v1", "RoleBinding", await rbac.listNamespacedRoleBinding({ namespace })],
    ];
    // Items of a list have no apiVersion and kind.
    const objects = lists.flatMap(([apiVersion, kind, { items }]) =>
      items.map((item) => ({ ...item, apiVersion, kind })),
    );
    expect(unexplained(await checkov(objects))).toEqual([]);
  }, 1_200_000);

  it("keep the running Prometheus's configuration when a rule or relabeling is invalid", async () => {
    const objects = kubeConfig(cloud).makeApiClient(CustomObjectsApi);
    const create = (plural: string, kind: string, spec: object) =>
      objects.createNamespacedCustomObject({
        ...{ group: "monitoring.coreos.com", version: "v1", namespace, plural },
        body: { apiVersion: "monitoring.coreos.com/v1", kind, metadata: { name: "bad" }, spec },
      });
    await create("prometheusrules", "PrometheusRule", {
      groups: [{ name: "bad", rules: [{ record: "a", expr: "sum(" }] }],
    });
    await create("servicemonitors", "ServiceMonitor", {
      selector: { matchLabels: { "app.kubernetes.io/name": "grafana" } },
      endpoints: [{ port: "http", relabelings: [{ action: "replace", regex: "(" }] }],
    });
    await sleep(15_000);
    const config = await fetch(`${addresses.prometheus}/api/v1/status/config`);
    expect(await config.text()).not.toContain("monitoring/bad");
    const [reloaded] = await query(addresses.prometheus, "prometheus_config_last_reload_successful");
    expect(reloaded?.value[1]).toBe("1");
    expect(await query(addresses.prometheus, "up == 0")).toEqual([]);
  });
});
