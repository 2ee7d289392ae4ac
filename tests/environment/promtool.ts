import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ExecaError, execa } from "execa";
import { stringify } from "yaml";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";

/** A series over virtual minutes, in the format of promtool's unit tests. */
export interface Series {
  series: string;
  /** Samples, one per minute, in promtool's notation. "1x60 stale" is 61 samples of 1, then a staleness marker. */
  values: string;
}

/** A promtool unit test. Its time starts at 0. */
export interface RuleTest {
  name: string;
  series: Series[];
  /** Expected results of queries. Each query is evaluated at virtual minute `minute` of the test. */
  queries: { minute: number; expr: string; samples: { labels: string; value: number }[] }[];
}

/** Runs promtool: Prometheus's parser and rule engine without a server. */
export class Promtool {
  private constructor(private readonly binary: string) {}

  static async find(): Promise<Promtool> {
    const toolchain = await ensureToolchain({ only: ["promtool"] });
    return new Promtool(toolchain.path("promtool"));
  }

  /** Returns the problems of rules, or "". */
  async check(groups: object[]): Promise<string> {
    return inFolder(async (folder) => {
      const file = path.join(folder, "rules.yaml");
      await writeFile(file, stringify({ groups }));
      return this.run(["check", "rules", "--lint=all", "--lint-fatal", file]);
    });
  }

  /**
   * Runs unit tests of rules. Returns the failures, or "".
   *
   * @param interval - evaluation interval of the rules. Default: one minute, or 5 minutes in tests of more than a day,
   * which doesn't change results and takes a fifth of the time
   */
  async test(groups: object[], tests: RuleTest[], interval = intervalFor(tests)): Promise<string> {
    const paced = groups.map((group) => ({ ...group, interval }));
    return inFolder(async (folder) => {
      await writeFile(path.join(folder, "rules.yaml"), stringify({ groups: paced }));
      const file = path.join(folder, "tests.yaml");
      await writeFile(
        file,
        stringify({
          rule_files: ["rules.yaml"],
          evaluation_interval: interval,
          tests: tests.map(toYaml),
        }),
      );
      return this.run(["test", "rules", file]);
    });
  }

  private async run(args: string[]): Promise<string> {
    try {
      await execa(this.binary, args);
      return "";
    } catch (error) {
      if (error instanceof ExecaError) return `${String(error.stdout)}\n${String(error.stderr)}`;
      throw error;
    }
  }
}

function intervalFor(tests: RuleTest[]): string {
  const last = Math.max(...tests.flatMap(({ queries }) => queries.map(({ minute }) => minute)));
  return last > 24 * 60 ? "5m" : "1m";
}

function toYaml({ name, series, queries }: RuleTest): object {
  return {
    name,
    interval: "1m",
    input_series: series,
    promql_expr_test: queries.map(({ minute, expr, samples }) => ({
      eval_time: `${minute}m`,
      expr,
      exp_samples: samples,
    })),
  };
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-rules-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
