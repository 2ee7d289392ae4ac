import { afterAll, beforeAll } from "vitest";
import { openCloud, removeCloud, type Cloud } from "../../packages/local-cloud/cluster/index.ts";
import { initStack, stackOutputs, type Engine } from "../../packages/local-cloud/environment.ts";
import { startForwards, type LocalAddresses } from "../../packages/local-cloud/forwards.ts";
import type { GrafanaClient } from "../../packages/local-cloud/panels.ts";
import { openLocalEnvironment } from "../../packages/local-cloud/prepare.ts";
import type { HistoryRun } from "../../packages/local-cloud/prometheus-data.ts";
import { loadHistory } from "../../packages/local-cloud/prometheus-data.ts";
import { runSample } from "../../packages/local-cloud/sample.ts";
import { eventually, query } from "./prometheus.ts";

/** The project on a local cloud, with three weeks of made-up nights and one night that was really pushed. */
export interface Content {
  cloud: Cloud;
  engine: Engine;
  outputs: Record<string, unknown>;
  addresses: LocalAddresses;
  grafana: GrafanaClient;
  /** The made-up runs. */
  runs: HistoryRun[];
}

/** Makes it before the tests of a file, and removes it after them: nothing is in it before. */
export function useContent(): Content {
  const content: Partial<Content> = {};
  beforeAll(async () => {
    await removeCloud(openCloud("test")); // what a killed run left
    const { cloud, engine } = await openLocalEnvironment("test");
    await initStack(cloud, engine);
    await engine.pulumi(["up", "--yes", "--skip-preview"]);
    const outputs = await stackOutputs(engine);
    const addresses = await startForwards(cloud, outputs);
    const grafana = { url: addresses.grafana, outputs };
    await runSample(cloud, outputs); // as dev
    const args = ["-nights", "21", "-felix", "-levels", "master,release-v3.31"];
    const runs = await loadHistory(cloud, addresses.prometheus, args);
    // What each group of recording rules kept since.
    const kept =
      'last_over_time(nightly:k8sfv_test_result{code_level="dev"}[10m]) and on () prometheus:disk_used_bytes';
    await eventually(
      () => query(addresses.prometheus, kept),
      (found) => found.length > 0,
    );
    Object.assign(content, { cloud, engine, outputs, addresses, grafana, runs });
  });
  afterAll(async () => {
    await removeCloud(openCloud("test"));
  });
  return content as Content;
}
