import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecaError } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initStack } from "../../packages/local-cloud/environment.ts";
import { findEngineProcesses, killProcesses } from "../../packages/local-cloud/cluster/processes.ts";
import { removeCloud } from "../../packages/local-cloud/cluster/index.ts";
import { importExisting } from "../../tools/import-existing.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/** How often a run is killed. */
const KILLS = 10;
/** Each fault strikes each resource once; the graph of Google's resources is 6 deep, and adopting is a run. */
const MOST_RUNS = 40;

/**
 * Runs that end badly: Google refuses or does not answer, or the engine and all it started are killed.
 * Not proved here: faults of the Kubernetes API, and Google's own behaviour after a time-out.
 */
describe("after runs that ended badly", { timeout: 1_800_000 }, () => {
  let stack: TestStack;
  /** What a whole run makes, from its plan: Google's resources by their names in the program. */
  let planned: string[];

  beforeAll(async () => {
    stack = await openTestStack("interrupted");
    const preview = JSON.parse(await stack.engine.pulumi(["preview", "--json"])) as {
      steps: { urn: string }[];
    };
    planned = preview.steps.map(({ urn }) => urn).sort();
  });

  afterAll(() => removeCloud(stack.cloud));

  it("converges when each operation at Google is refused, refused otherwise, and made without an answer", async () => {
    await strike("create");
    const up = ["up", "--yes", "--skip-preview", "--continue-on-error"];
    const runs = await until(() => stack.engine.pulumi(up), true);
    console.log(`${runs.failed} runs failed before one went through; ${runs.adopted} resources taken over`);
    expect(runs.adopted).toBeGreaterThan(10);
    // Each refusal names what is missing.
    for (const words of [
      "Quota exceeded",
      "Required 'compute.networks.create' permission",
      'Required "container.clusters.create" permission',
      "Permission 'resourcemanager.projects.setIamPolicy' denied",
      "Permission denied to enable service [compute.googleapis.com]",
      "Billing must be enabled for activation of service(s)",
    ]) {
      expect(runs.said).toContain(words);
    }
    await expectWhole();
  });

  it("is destroyed wholly though each deletion fails three times", async () => {
    await strike("delete");
    const destroy = ["destroy", "--yes", "--skip-preview", "--continue-on-error"];
    const runs = await until(() => stack.engine.pulumi(destroy), false);
    console.log(`${runs.failed} runs failed before all was gone`);
    expect(await stack.resources()).toEqual([]);
    expect((await stack.atGoogle()).paths).toEqual([]);
    await writeFile(faultsFile(), "{}");
  });

  it(`converges after ${KILLS} kills spread over the run`, async () => {
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

  /** Lets each operation of a kind fail three times: by quota, by permission, by a time-out once it is done. */
  async function strike(operation: "create" | "delete"): Promise<void> {
    const names = planned
      .filter((urn) => urn.includes("gcp:") && !urn.includes("providers:gcp"))
      .map((urn) => urn.split("::").at(-1) ?? "");
    const rules = names.flatMap((name) =>
      (["quota", "permission", "timeout"] as const).map((fault) => ({ name, operation, fault, times: 1 })),
    );
    const billing = { type: "projects.Service", operation, fault: "billing", times: 1 };
    await writeFile(faultsFile(), JSON.stringify({ rules: [billing, ...rules] }));
  }

  /** Runs it until it goes through; in between takes over, if asked to, what is there without the state knowing. */
  async function until(
    run: () => Promise<string>,
    takeOver: boolean,
  ): Promise<{ failed: number; adopted: number; said: string }> {
    let adopted = 0;
    let said = "";
    for (let failed = 0; failed < MOST_RUNS; failed++) {
      try {
        await run();
        return { failed, adopted, said };
      } catch (error) {
        if (!(error instanceof ExecaError)) throw error;
        said += String(error.stdout);
      }
      if (takeOver) adopted += (await importExisting(stack.engine.pulumi)).imported.length;
    }
    throw new Error(`Not through after ${MOST_RUNS} runs`);
  }

  /** Starts `up`, and kills the engine and all it started once the state has that many resources. */
  async function killAt(count: number): Promise<string> {
    const run = stack.engine.pulumi(["up", "--yes", "--skip-preview"]).catch(() => undefined);
    const state = { ended: false };
    void run.then(() => (state.ended = true));
    let seen = 0;
    while (!state.ended && seen < count) {
      await sleep(50);
      seen = await stack.countResources();
    }
    // Otherwise nothing would be killed, and nothing shown.
    expect(state.ended).toBe(false);
    await killProcesses(await findEngineProcesses(stack.cloud));
    await run;
    await initStack(stack.cloud, stack.engine); // gives back the lock that a killed engine can't
    return `${seen}/${planned.length}`;
  }

  /** The state has all that was planned, each once, and Google has the same, all of it whole. */
  async function expectWhole(): Promise<void> {
    await stack.engine.pulumi(["preview", "--expect-no-changes"]);
    const resources = await stack.resources();
    const urns = resources.map(({ urn }) => urn);
    expect(new Set(urns).size).toBe(urns.length);
    // More than a first preview can tell: what is in the operator's files is known when there is a cluster.
    expect(urns).toEqual(expect.arrayContaining(planned));
    const ids = resources
      .filter(({ type }) => type.startsWith("gcp:") && !type.endsWith(":Service"))
      .map(({ id }) => id ?? "");
    const { paths, unfinished } = await stack.atGoogle();
    expect(paths).toEqual(ids.sort());
    expect(unfinished).toEqual([]);
  }
});
