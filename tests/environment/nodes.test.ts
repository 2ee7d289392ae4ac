import { CoreV1Api, type V1Pod } from "@kubernetes/client-node";
import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Cloud,
  type LocalAddresses,
  ciHost,
  commandIn,
  killHost,
  listNodes,
  openCloud,
  removeCloud,
  runIn,
  startForwards,
  startNode,
} from "k8sfv-local-cloud";
import { tracesOf } from "k8sfv-local-cloud/testing";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { kubeConfig, namespace, podOf, untilReady } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { held, lost, push, pushUntil, scraped } from "./pushes.ts";
import { openTestStack } from "./stack.ts";

const workloads = ["prometheus-operator", "prometheus", "alertmanager", "prom-gateway", "grafana"];
/**
 * Address and port of a remote-write receiver on the CI host. The CI host has the last address that Google assigns in
 * the subnetwork.
 */
const receiver = { address: "10.248.15.253", port: 9009 };

/** Tests remote write to another Prometheus, and that no accepted push is lost when a node is drained or fails. */
describe("workloads", () => {
  let cloud: Cloud;
  let addresses: LocalAddresses;

  beforeAll(async () => {
    const stack = await openTestStack("nodes");
    cloud = stack.cloud;
    await stack.set({ "remoteWrite.url": `http://${receiver.address}:${receiver.port}/api/v1/write` });
    addresses = await startForwards(cloud, await stack.up());
    await eventually(
      () => push(addresses.pushGateway, "before", 1),
      (status) => status === 202,
    );
  });
  afterAll(() => removeCloud(openCloud("nodes")));

  it("send all samples to another Prometheus by remote write", async () => {
    const binary = (await ensureToolchain({ only: ["prometheus"] })).path("prometheus");
    const dir = await mkdtemp(path.join(tmpdir(), "k8sfv-receiver-"));
    await writeFile(path.join(dir, "prometheus.yml"), "{}");
    const flags = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`];
    const listen = `--web.listen-address=${receiver.address}:${receiver.port}`;
    const [file, ...args] = await commandIn(
      cloud,
      ciHost,
      [binary, ...flags, listen, "--web.enable-remote-write-receiver"],
      "network",
    );
    const other = spawn(file, args, { stdio: "ignore" });
    const ask = `${receiver.address}:${receiver.port}/api/v1/query?query=pushed_value`;
    const curl = `exec 3<>/dev/tcp/${receiver.address}/${receiver.port}; printf 'GET http://${ask} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
    const answer = await eventually(
      () => runIn(cloud, ciHost, ["bash", "-c", curl], { namespaces: "network" }),
      (text) => text.includes('"instance":"before"'),
    );
    expect(answer).toContain('"job":"pushes"');
    other.kill("SIGKILL");
  });

  it("reject connections to unused pod addresses within 2 s", async () => {
    const [node] = await listNodes(cloud);
    // The last address of the range is unused, because pods get the first free one.
    const unused = node?.podCidr.replace(/0\/24$/, "254");
    const connect = ["timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${unused}/9091`];
    await expect(runIn(cloud, ciHost, connect)).rejects.toThrow("No route to host");
  });

  it("move from a drained node without losing an accepted push", async () => {
    const pod = await podOf(cloud, "prom-gateway");
    const node = pod.spec?.nodeName ?? "";
    let over = false;
    const pushing = pushUntil(addresses.pushGateway, 2, () => over);
    await sleep(1_000);
    const started = Date.now();
    await drain(node);
    for (const name of workloads) expect((await untilReady(cloud, name)).spec?.nodeName).not.toBe(node);
    console.log("drained and moved after", Date.now() - started, "ms");
    await sleep(3_000);
    over = true;
    const pushes = await pushing;
    console.log("pushes meanwhile:", Object.fromEntries(pushes.answers), "slowest", pushes.slowestMs, "ms");
    await isWhole(pushes);
    const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
    const known = await core.readNode({ name: node });
    await core.replaceNode({ name: node, body: { ...known, spec: { ...known.spec, unschedulable: false } } });
  });

  it("restart without losing an accepted push after a node was lost and came back", async () => {
    const node = (await podOf(cloud, "prom-gateway")).spec?.nodeName ?? "";
    let over = false;
    const pushing = pushUntil(addresses.pushGateway, 2, () => over);
    await sleep(3_000);
    const cgroups = async () => (await tracesOf(cloud)).filter((trace) => trace.match(`^cgroup .*/${node}/`));
    expect(await cgroups()).not.toEqual([]);
    await killHost(cloud, node);
    expect(await cgroups()).toEqual([]);
    const lostAt = Date.now();
    await sleep(20_000);
    const spec = (await listNodes(cloud)).find(({ name }) => name === node);
    if (spec === undefined) throw new Error(`the cloud has no node ${node}`);
    await startNode(cloud, spec);
    const back = Date.now();
    for (const name of workloads) await untilReady(cloud, name);
    await eventually(
      () => push(addresses.pushGateway, "after", 1),
      (status) => status === 202,
    );
    console.log(
      "pushes are accepted",
      Date.now() - back,
      "ms after the node came back,",
      Date.now() - lostAt,
      "after its loss",
    );
    over = true;
    await isWhole(await pushing);
    expect(
      (await query(addresses.prometheus, 'last_over_time(pushed_value{instance="before"}[1h])')).length,
    ).toBe(1);
  });

  const drain = async (node: string): Promise<void> => {
    const core = kubeConfig(cloud).makeApiClient(CoreV1Api);
    const known = await core.readNode({ name: node });
    await core.replaceNode({ name: node, body: { ...known, spec: { ...known.spec, unschedulable: true } } });
    const { items } = await core.listNamespacedPod({ namespace, fieldSelector: `spec.nodeName=${node}` });
    const evict = ({ metadata }: V1Pod) => {
      const pod = { name: metadata?.name ?? "", namespace };
      return core.createNamespacedPodEviction({ ...pod, body: { metadata: pod } });
    };
    await Promise.all(items.map(evict));
  };
  const isWhole = async (pushes: Awaited<ReturnType<typeof pushUntil>>): Promise<void> => {
    expect(pushes.accepted.size).toBe(2);
    await eventually(
      async () => lost(pushes, await held(addresses.pushGateway)),
      (missing) => missing.length === 0,
    );
    await eventually(
      async () => lost(pushes, await scraped(addresses.prometheus)),
      (missing) => missing.length === 0,
    );
  };
});
