import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecaError, execa } from "execa";
import type { Cloud } from "../hosts/cloud.ts";
import { ciHost, commandIn } from "../hosts/host.ts";
import { queryGrafana } from "../../../lib/grafana.ts";

/** Output of the program `sample-run` (sample-run/main.go). */
export interface SampleResult {
  codeLevel: string;
  /** Number of tests with a pushed result. */
  tests: number;
  /** Sum of k8sfv_test_result. */
  passing: number;
  /** Mean memory occupancy of `occupancyTest` in bytes, unique for this run. */
  occupancyMeanBytes: number;
  /** Name of the test whose mean memory occupancy is `occupancyMeanBytes`. */
  occupancyTest: string;
}

/** Secret outputs that a CI job needs. */
const ciSecrets = ["PROMPG_URL", "PROMPG_URL_IN_CLUSTER"];

/**
 * Timeout in milliseconds for reading a pushed value in Grafana. Prometheus scrapes every 10 s; Grafana returned the value
 * after 6 s on average.
 */
const readBackTimeoutMs = 90_000;
/** Maximum time in milliseconds for which a push is retried. */
const pushAgainMs = 30_000;

/**
 * Returns the environment variables of a CI job: the stack's outputs, except secrets that CI must not have,
 * such as Grafana's administrator password.
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

/** Returns the command line that runs `command` on the CI host. */
export async function ciHostCommand(cloud: Cloud, command: string[]): Promise<[string, ...string[]]> {
  return commandIn(cloud, ciHost, command);
}

/**
 * Pushes the metrics of a sample run from the CI host, as the test suite k8sfv does, with a unique mean memory
 * occupancy. Retries connection errors for 30 s: right after a `pulumi up` that moved the Pushgateway's pod, nodes may
 * need some seconds to update their routes.
 */
export async function runSample(cloud: Cloud, outputs: Record<string, unknown>): Promise<SampleResult> {
  const meanBytes = String(randomInt(30_000_000, 60_000_000));
  const [file, ...rest] = await ciHostCommand(cloud, ["sample-run", "-value", meanBytes]);
  const deadline = Date.now() + pushAgainMs;
  for (;;) {
    try {
      const { stdout } = await execa(file, rest, { env: ciEnvironment(cloud, outputs) });
      return JSON.parse(stdout) as SampleResult;
    } catch (error) {
      // Only connection errors are retried, not error responses.
      const refused = error instanceof ExecaError && /can't push to/.test(String(error.stderr));
      if (!refused || Date.now() > deadline) throw error;
      console.log(`  ${String(error.stderr)}; retrying`);
    }
    await sleep(1_000);
  }
}

/**
 * Queries Grafana's data source, like a dashboard panel, until it returns the pushed value.
 *
 * @returns the value
 * @throws Error if Grafana doesn't return it within 90 s
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
        `Grafana's data source does not return the pushed value ${sample.occupancyMeanBytes} after ` +
          `${readBackTimeoutMs / 1000} s; it returned: ${JSON.stringify(found)}`,
      );
    }
    await sleep(500);
  }
}
