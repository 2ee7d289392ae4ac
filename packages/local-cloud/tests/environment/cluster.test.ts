import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { KubeConfig, CoreV1Api } from "@kubernetes/client-node";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import {
  killHost,
  openCloud,
  removeCloud,
  resumeCloud,
  runIn,
  startCluster,
  startNetwork,
  startNode,
  type Cloud,
} from "../../cluster/index.ts";
import { openLocalEnvironment } from "../../environment/prepare.ts";
import { tracesOf } from "../../testing/traces.ts";

const network = { cidr: "10.248.0.0/20", gateway: "10.248.0.1" };
const cluster = {
  name: "k8sfv",
  address: "10.248.0.2",
  podCidr: "10.249.0.0/16",
  serviceCidr: "10.250.0.0/20",
};
const nodes = [1, 2].map((n) => ({
  name: `node-${n}`,
  address: `10.248.0.${10 + n}`,
  podCidr: `10.249.${n}.0/24`,
  labels: {},
}));

/** Tests the hosts and the cluster of a local cloud without Google's API and Pulumi. */
describe("the local cluster", () => {
  const names = ["crash", "aside"];

  beforeAll(() => Promise.all(names.map((name) => removeCloud(openCloud(name)))));
  afterEach(() => Promise.all(names.map((name) => removeCloud(openCloud(name)))));

  it("keeps its data after a crash, and is removed completely after another", async () => {
    const cloud = await prepare("crash");
    await startNetwork(cloud, network);
    await startCluster(cloud, cluster);
    await Promise.all(nodes.map((node) => startNode(cloud, node)));
    await core(cloud).createNamespace({ body: { metadata: { name: "kept" } } });

    await killHost(cloud, "control-plane");
    await killHost(cloud, "node-1");
    await resumeCloud(cloud);
    expect((await core(cloud).readNamespace({ name: "kept" })).metadata?.name).toBe("kept");
    const { items } = await core(cloud).listNode();
    expect(items.map(({ metadata }) => metadata?.name).sort()).toEqual(["node-1", "node-2"]);

    await killHost(cloud, "vpc");
    await removeCloud(cloud);
    expect(await tracesOf(cloud)).toEqual([]);
  });

  it("is isolated from another cloud with the same addresses and from the outside", async () => {
    const clouds = [await prepare("crash"), await prepare("aside")];
    for (const cloud of clouds) await startNetwork(cloud, network);
    for (const cloud of clouds) {
      expect(await runIn(cloud, "ci", ["ip", "route"])).toContain("default via 10.248.0.1");
      await runIn(cloud, "ci", ["ip", "neigh", "show"]);
      const links = await runIn(cloud, "vpc", ["ip", "-oneline", "link"]);
      // Only the loopback, the bridge and the port of the CI host: no link to the outside.
      expect(links.split("\n")).toHaveLength(3);
      expect(await runIn(cloud, "vpc", ["ip", "route"])).not.toContain("default");
    }
    const [first, second] = clouds as [Cloud, Cloud];
    await removeCloud(first);
    expect(await tracesOf(first)).toEqual([]);
    expect(await runIn(second, "ci", ["hostname"])).toBe("ci");
  });
});

async function prepare(name: string): Promise<Cloud> {
  const { cloud } = await openLocalEnvironment(name);
  await writeFile(cloud.accessTokenFile, randomBytes(16).toString("hex"), { mode: 0o600 });
  return cloud;
}

function core(cloud: Cloud): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(cloud.adminKubeconfig);
  return config.makeApiClient(CoreV1Api);
}
