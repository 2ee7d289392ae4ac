import { afterAll, beforeAll } from "vitest";
import {
  type Cloud,
  type Engine,
  type HistoryRun,
  type LocalAddresses,
  initStack,
  loadHistory,
  openCloud,
  openLocalEnvironment,
  removeCloud,
  runSample,
  stackOutputs,
  startForwards,
} from "k8sfv-local-cloud";
import type { GrafanaClient } from "../../lib/grafana.ts";
import { eventually, query } from "./prometheus.ts";

/** The project on a local cloud, with three weeks of generated nightly runs and one pushed run. */
export interface Content {
  cloud: Cloud;
  engine: Engine;
  outputs: Record<string, unknown>;
  addresses: LocalAddresses;
  grafana: GrafanaClient;
  /** The generated runs. */
  runs: HistoryRun[];
}

/**
 * Registers a `beforeAll` that creates the local cloud and sets the fields of the returned object, and an `afterAll`
 * that removes the cloud.
 */
export function useContent(): Content {
  const content: Partial<Content> = {};
  beforeAll(async () => {
    await removeCloud(openCloud("test")); // leftovers of a killed run
    const { cloud, engine } = await openLocalEnvironment("test");
    await initStack(cloud, engine);
    await engine.pulumi(["up", "--yes", "--skip-preview"]);
    const outputs = await stackOutputs(engine);
    const addresses = await startForwards(cloud, outputs);
    const grafana = { url: addresses.grafana, outputs };
    await runSample(cloud, outputs); // of the code level dev
    const args = ["-nights", "21", "-felix", "-levels", "master,release-v3.31"];
    const runs = await loadHistory(cloud, addresses.prometheus, args);
    // This query returns a result as soon as each group of recording rules has recorded a sample.
    const recorded =
      'last_over_time(nightly:k8sfv_test_result{code_level="dev"}[10m]) and on () prometheus:disk_used_bytes';
    await eventually(
      () => query(addresses.prometheus, recorded),
      (found) => found.length > 0,
    );
    Object.assign(content, { cloud, engine, outputs, addresses, grafana, runs });
  });
  afterAll(async () => {
    await removeCloud(openCloud("test"));
  });
  return content as Content;
}
