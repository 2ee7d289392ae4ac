import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecaError } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initStack, removeCloud } from "k8sfv-local-cloud";
import { findEngineProcesses, killProcesses } from "k8sfv-local-cloud/testing";
import { importExisting } from "../../tools/import-existing.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/** Number of killed runs. */
const KILLS = 10;
/**
 * Maximum number of runs, of which the last one must succeed. About 18 runs fail, because resources depend on each
 * other in six levels and each resource fails three times.
 */
const MAX_RUNS = 40;

/**
 * Tests failed runs: Google rejects requests or doesn't respond, or the engine and its child processes are killed. Does
 * not test faults of the Kubernetes API, and does not prove how Google behaves after a timeout.
 */
describe("after failed runs", { timeout: 1_800_000 }, () => {
  let stack: TestStack;
  /** URNs of the resources that a complete run creates. */
  let planned: string[];

  beforeAll(async () => {
    stack = await openTestStack("interrupted");
    const preview = JSON.parse(await stack.engine.pulumi(["preview", "--json"])) as {
      steps: { urn: string }[];
    };
    planned = preview.steps.map(({ urn }) => urn).sort();
  });

  afterAll(() => removeCloud(stack.cloud));

  it("the stack converges although each creation at Google first exceeds a quota, then lacks a permission, and then succeeds without a response", async () => {
    await injectFaults("create");
    const up = ["up", "--yes", "--skip-preview", "--continue-on-error"];
    const runs = await until(() => stack.engine.pulumi(up), true);
    console.log(`${runs.failed} runs failed before one succeeded; ${runs.imported} resources imported`);
    expect(runs.imported).toBeGreaterThan(10);
    // The error messages name the missing quota or permission.
    for (const words of [
      "Quota exceeded",
      "Required 'compute.networks.create' permission",
      'Required "container.clusters.create" permission',
      "Permission 'resourcemanager.projects.setIamPolicy' denied",
      "Permission denied to enable service [compute.googleapis.com]",
      "Billing must be enabled for activation of service(s)",
    ]) {
      expect(runs.output).toContain(words);
    }
    await expectWhole();
  });

  it("the stack is destroyed completely although each deletion fails three times", async () => {
    await injectFaults("delete");
    const destroy = ["destroy", "--yes", "--skip-preview", "--continue-on-error"];
    const runs = await until(() => stack.engine.pulumi(destroy), false);
    console.log(`${runs.failed} runs failed before one succeeded`);
    expect(await stack.resources()).toEqual([]);
    expect((await stack.atGoogle()).paths).toEqual([]);
    await writeFile(faultsFile(), "{}");
  });

  it(`the stack converges after ${KILLS} kills at different times of the run`, async () => {
    const moments: string[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      moments.push(await killAt(Math.floor((planned.length * kill) / (KILLS + 1))));
      await importExisting(stack.engine.pulumi);
    }
    console.log(`killed at resources: ${moments.join(", ")}`);
    await stack.up();
    await expectWhole();
  });

  function faultsFile(): string {
    return path.join(stack.cloud.dir, "faults.json");
  }

  /**
   * Makes the operation fail three times for each resource: because of a quota, because of a permission, and
   * by a timeout after it succeeded.
   */
  async function injectFaults(operation: "create" | "delete"): Promise<void> {
    const names = planned
      .filter((urn) => urn.includes("gcp:") && !urn.includes("providers:gcp"))
      .map((urn) => urn.split("::").at(-1) ?? "");
    const rules = names.flatMap((name) =>
      (["quota", "permission", "timeout"] as const).map((fault) => ({ name, operation, fault, times: 1 })),
    );
    const billing = { type: "projects.Service", operation, fault: "billing", times: 1 };
    await writeFile(faultsFile(), JSON.stringify({ rules: [billing, ...rules] }));
  }

  /**
   * Repeats a run until it succeeds. Optionally imports resources that are missing in the state before each repetition.
   */
  async function until(
    run: () => Promise<string>,
    importsMissing: boolean,
  ): Promise<{ failed: number; imported: number; output: string }> {
    let imported = 0;
    let output = "";
    for (let failed = 0; failed < MAX_RUNS; failed++) {
      try {
        await run();
        return { failed, imported, output };
      } catch (error) {
        if (!(error instanceof ExecaError)) throw error;
        output += String(error.stdout);
      }
      if (importsMissing) imported += (await importExisting(stack.engine.pulumi)).imported.length;
    }
    throw new Error(`No run succeeded after ${MAX_RUNS} attempts`);
  }

  /**
   * Starts `up`, and kills the engine and its child processes when the state has `count` resources. Returns the
   * progress as "RESOURCES/PLANNED".
   */
  async function killAt(count: number): Promise<string> {
    const run = stack.engine.pulumi(["up", "--yes", "--skip-preview"]).catch(() => undefined);
    const state = { ended: false };
    void run.then(() => (state.ended = true));
    let seen = 0;
    while (!state.ended && seen < count) {
      await sleep(50);
      seen = await stack.countResources();
    }
    // If the run had ended before it was killed, the test would prove nothing.
    expect(state.ended).toBe(false);
    await killProcesses(await findEngineProcesses(stack.cloud));
    await run;
    await initStack(stack.cloud, stack.engine); // releases the lock of the killed engine
    return `${seen}/${planned.length}`;
  }

  /**
   * Checks that the state contains each planned resource once, and that the same resources exist in Google
   * Cloud and are complete.
   */
  async function expectWhole(): Promise<void> {
    await stack.engine.pulumi(["preview", "--expect-no-changes"]);
    const resources = await stack.resources();
    const urns = resources.map(({ urn }) => urn);
    expect(new Set(urns).size).toBe(urns.length);
    // The state has more resources than the first preview, which has no cluster and therefore can't list the
    // CRDs in the operator's files.
    expect(urns).toEqual(expect.arrayContaining(planned));
    const ids = resources
      .filter(({ type }) => type.startsWith("gcp:") && !type.endsWith(":Service"))
      .map(({ id }) => id ?? "");
    const { paths, unfinished } = await stack.atGoogle();
    expect(paths).toEqual(ids.sort());
    expect(unfinished).toEqual([]);
  }
});
