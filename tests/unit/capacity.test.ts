import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { LARGEST_POD_MIB } from "../../config/machine-types.ts";
import { page, tableRows } from "../pages.ts";
import type { Graph } from "./golden-graph.ts";

/**
 * Allocatable CPU in millicores and memory in MiB of an e2-standard-2 node (2 CPUs, 8 GiB). GKE reserves 6 %
 * of the first CPU, 1 % of the second one, 25 % of the first 4 GiB of memory, 20 % of the next 4 GiB, and 100
 * MiB for eviction (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes).
 */
const ALLOCATABLE = { cpu: 2000 - 60 - 10, memory: 8192 - 1024 - 819 - 100 };
/**
 * Upper estimate of what GKE's system pods request on one node, in millicores and MiB: half of the node's allocatable
 * CPU, and 1.5 GiB of memory.
 */
const SYSTEM = { cpu: 965, memory: 1536 };

interface Container {
  name?: string;
  resources?: { requests?: { cpu?: string; memory?: string }; limits?: { memory?: string } };
}

/**
 * Returns all objects in `value` that request CPU, once for each replica. They are containers, or the specs
 * of the operator's custom resources. Init containers are omitted, because they end before the containers of
 * their pod start.
 */
function containersOf(value: unknown): Container[] {
  if (typeof value !== "object" || value === null) return [];
  const own = value as Container & { replicas?: number };
  const once = Object.entries(value).flatMap(([key, part]) =>
    key === "initContainers" ? [] : containersOf(part),
  );
  const below = Array.from({ length: own.replicas ?? 1 }, () => once).flat();
  return own.resources?.requests?.cpu === undefined ? below : [own, ...below];
}

const number = (quantity = "", unit: RegExp) => Number(quantity.replace(unit, ""));

const base = parse(readFileSync(new URL("golden/base.yaml", import.meta.url), "utf8")) as Graph;
const golden = Object.entries(base).map(([key, { inputs }]) => ({ type: key.replace(/ .*/, ""), inputs }));
const defined = golden.flatMap(({ inputs }) => containersOf(inputs));

/** Returns the value of a flag of the operator for the config reloaders. */
const reloaderFlag = (name: string) =>
  new RegExp(`--config-reloader-${name}=(\\w+)`).exec(JSON.stringify(golden))?.[1] ?? "";
const RELOADER: Container = {
  name: "config-reloader",
  resources: {
    requests: { cpu: reloaderFlag("cpu-request"), memory: reloaderFlag("memory-request") },
    limits: { memory: reloaderFlag("memory-limit") },
  },
};
/**
 * All containers. An element of `defined` without a name is the spec of one of the operator's custom resources. The
 * operator adds a config reloader to the pods of each such custom resource.
 */
const containers = [...defined, ...defined.filter(({ name }) => name === undefined).map(() => RELOADER)];
const limits = containers.map(({ resources }) => mebibytes(resources?.limits?.memory));

test("LARGEST_POD_MIB, which the check of machine types uses, is the largest memory limit in the resource graph", () => {
  expect(LARGEST_POD_MIB).toBe(Math.max(...limits));
});

test("if one of two nodes fails, the other one has enough CPU for the requests and memory for the limits of all pods", () => {
  // The push queue has two pods with two containers each. The pods of the Pushgateway, Prometheus and Alertmanager have
  // two containers each, including the config reloaders. The pods of Grafana and the operator have one each.
  expect(containers).toHaveLength(12);
  const cpu = sum(containers.map(({ resources }) => number(resources?.requests?.cpu, /m$/)));
  const requested = sum(containers.map(({ resources }) => mebibytes(resources?.requests?.memory)));
  const memory = sum(limits);
  const left = ALLOCATABLE.memory - SYSTEM.memory - memory;
  expect(cpu).toBeGreaterThan(0);
  expect(cpu).toBeLessThanOrEqual(ALLOCATABLE.cpu - SYSTEM.cpu);
  expect(left).toBeGreaterThanOrEqual(0);
  const text = page("docs/limits.md").text.replace(/\s+/g, " ");
  const sums = `${cpu} m and ${requested} Mi; their limits add up to ${(memory / 1024).toFixed(1)} GiB`;
  expect(text).toContain(`All containers together request ${sums}`);
  expect(text).toContain(`${left} MiB are left`);
});

test("docs/limits.md lists the requests and limits of each container", () => {
  const names: Record<string, string> = {
    "haproxy-1": "push queue",
    "push-proxy": "push proxy",
    "prom-gateway": "Pushgateway",
    "prometheus-operator": "operator",
    grafana: "Grafana",
  };
  const rows = golden.flatMap(({ type, inputs }) =>
    containersOf(inputs).flatMap(({ name, resources }) => {
      // The specs of the operator's custom resources have no container name, so the table has their kind.
      const title = name === undefined ? type.replace(/^.*:/, "") : names[name];
      const { requests, limits } = resources ?? {};
      return title === undefined ? [] : [[title, row(requests?.cpu, requests?.memory, limits?.memory)]];
    }),
  );
  const { requests, limits } = RELOADER.resources ?? {};
  rows.push(["config reloader", row(requests?.cpu, requests?.memory, limits?.memory)]);
  const listed = tableRows(page("docs/limits.md"))
    .filter((cells) => /^\d+ [GM]i$/.test(cells[4] ?? ""))
    .map(([name, , , requested = "", limit = ""]) => [name, `${requested}, ${limit}`]);
  const unique = [...new Map(rows.map((row) => [row.join(), row])).values()];
  expect(listed.toSorted()).toEqual(unique.toSorted());
});

/** Formats requests and limit as in docs/limits.md. */
function row(cpu = "", memory = "", limit = ""): string {
  return [cpu, memory, limit].map((quantity) => quantity.replace(/^(\d+)/, "$1 ")).join(", ");
}

function mebibytes(quantity = ""): number {
  return quantity.endsWith("Gi") ? number(quantity, /Gi$/) * 1024 : number(quantity, /Mi$/);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
