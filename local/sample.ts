import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecaError, execa } from "execa";
import type { Cloud } from "./cluster/cloud.ts";
import { ciHost, commandIn } from "./cluster/host.ts";
import { queryGrafana } from "../tools/grafana-query.ts";

export { basicAuth, queryGrafana } from "../tools/grafana-query.ts";

/** What the sample run says it pushed, as the line of JSON it prints. */
export interface SampleResult {
  codeLevel: string;
  /** How many tests it pushed a result of. */
  tests: number;
  /** Sum of k8sfv_test_result. */
  passing: number;
  /** Mean occupancy that marks this run: no other run pushes the same. */
  occupancyMeanBytes: number;
  /** The test that value belongs to. */
  occupancyTest: string;
}

/** Names of outputs that are secrets and that a CI machine needs all the same. */
const ciSecrets = ["PROMPG_URL", "PROMPG_URL_IN_CLUSTER"];

/** Prometheus scrapes every 10 s; Grafana had the number after 6 s on average. */
const readBackTimeoutMs = 90_000;
const pushAgainMs = 30_000;

/**
 * The environment of a CI job: the stack's outputs, those aside that CI has no business with, such as the
 * password of Grafana's administrator.
 */
export function ciEnvironment(cloud: Cloud, outputs: Record<string, unknown>): Record<string, string> {
  const plain = Object.entries(outputs).filter(
    ([name, value]) =>
      typeof value === "string" && (ciSecrets.includes(name) || !/PASSWORD|KUBECONFIG/.test(name)),
  );
  return {
    ...Object.fromEntries(plain as [string, string][]),
    PATH: `${cloud.binDir}:${process.env.PATH ?? ""}`,
  };
}

/** The command line that runs `command` on the CI machine. */
export async function ciMachineCommand(cloud: Cloud, command: string[]): Promise<[string, ...string[]]> {
  return commandIn(cloud, ciHost, command);
}

/**
 * Pushes a run's metrics from the CI machine, as k8sfv does, with a mean occupancy that marks this run. When no
 * connection comes about, it is tried again for half a minute: an `up` has just moved the gateway's pod, and it can
 * take some seconds until all nodes know.
 */
export async function runSample(cloud: Cloud, outputs: Record<string, unknown>): Promise<SampleResult> {
  const mark = String(randomInt(30_000_000, 60_000_000));
  const [file, ...rest] = await ciMachineCommand(cloud, ["sample-run", "-value", mark]);
  const deadline = Date.now() + pushAgainMs;
  for (;;) {
    try {
      const { stdout } = await execa(file, rest, { env: ciEnvironment(cloud, outputs) });
      return JSON.parse(stdout) as SampleResult;
    } catch (error) {
      // An answer is one: only a connection that doesn't come about is tried again.
      const refused = error instanceof ExecaError && /can't push to/.test(String(error.stderr));
      if (!refused || Date.now() > deadline) throw error;
      console.log(`  ${String(error.stderr)}; once more`);
    }
    await sleep(1_000);
  }
}

/**
 * Asks Grafana's data source for what a run pushed, as a dashboard's panel does, until it answers.
 *
 * @returns the number read
 * @throws Error when it is not there after 90 s
 */
export async function readBack(
  grafana: string,
  outputs: Record<string, unknown>,
  sample: SampleResult,
): Promise<number> {
  const expr = `k8sfv_occupancy_mean_bytes{code_level=${JSON.stringify(sample.codeLevel)}}`;
  const deadline = Date.now() + readBackTimeoutMs;
  for (;;) {
    const found = await queryGrafana(grafana, outputs, expr).catch((error: unknown) => String(error));
    if (Array.isArray(found) && found.includes(sample.occupancyMeanBytes)) return sample.occupancyMeanBytes;
    if (Date.now() > deadline) {
      throw new Error(
        `Grafana's data source does not show the number pushed, ${sample.occupancyMeanBytes}, after ` +
          `${readBackTimeoutMs / 1000} s; it answered: ${JSON.stringify(found)}`,
      );
    }
    await sleep(500);
  }
}
