import { readFileSync } from "node:fs";
import path from "node:path";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { page, root, tableRows } from "../pages.ts";

const rows = tableRows(page("docs/costs.md")).slice(1);
const items = rows.slice(0, -1);
const total = rows.at(-1)?.[2]?.replaceAll("*", "");

/**
 * Evaluates the arithmetic in a cell of the table, in US dollars. Returns 0 if a free tier exceeds the costs that it is
 * subtracted from.
 */
function evaluate(arithmetic: string): number {
  if (arithmetic.startsWith("free")) return 0;
  const expression = arithmetic
    .replace(/, less the free tier's ([\d.]+)/, " - $1")
    .replace(", estimated", "")
    .replaceAll(" GiB", "")
    .replaceAll("×", "*");
  expect(expression).toMatch(/^[\d.\s()*+-]+$/);
  return Math.max(0, Number(runInNewContext(expression)));
}

// The page has Google's prices of November 2026. No test compares them with current prices.
test("in docs/costs.md, each figure is the result of its arithmetic, and the total is the sum of the figures", () => {
  expect(items.length).toBeGreaterThan(5);
  for (const [item, arithmetic = "", month] of items)
    expect(evaluate(arithmetic).toFixed(2), item).toBe(month);
  const sum = items.reduce((sum, [, , month]) => sum + Number(month), 0);
  expect(sum.toFixed(2)).toBe(total);
  expect(page("README.md").text).toContain(`[about ${Math.round(sum)} US dollars a month]`);
});

test("docs/costs.md calculates with the nodes and disks of calico-test", () => {
  const { config } = parse(readFileSync(path.join(root, "Pulumi.calico-test.yaml"), "utf8")) as {
    config: Record<string, Record<string, unknown>>;
  };
  const { nodeCount, machineType } = config["k8sfv-metrics:cluster"] ?? {};
  const { prometheusGb, ...others } = config["k8sfv-metrics:disks"] ?? {};
  const names = items.map(([item]) => item);
  expect(names).toContain(`${String(nodeCount)} nodes ${String(machineType)}`);
  expect(names).toContain(`disk of Prometheus, ${String(prometheusGb)} GiB pd-balanced`);
  expect(others).toEqual({ pushGatewayGb: 10, grafanaGb: 10, alertmanagerGb: 10 });
  expect(names).toContain("disks of Pushgateway, Grafana and Alertmanager, 10 GiB each");
});
