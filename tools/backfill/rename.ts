import type { Labels } from "./recording.ts";
import type { Run } from "./run.ts";

/**
 * Parses `OLD=NEW` pairs of code levels.
 *
 * @throws Error with an example when a pair has another form
 */
export function readRenames(pairs: string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const [from = "", to = "", ...more] = pair.split("=");
      if (from !== "" && to !== "" && more.length === 0) return [from, to];
      throw new Error(
        `--rename-code-level ${pair} is not OLD=NEW, like master=https://github.com/projectcalico/felix.git-master`,
      );
    }),
  );
}

/**
 * Renames code levels, so that their history continues under the names that CI pushes now.
 *
 * @throws Error when a run has both names, because their series would be identical
 */
export function renameLevels(runs: Run[], renames: ReadonlyMap<string, string>): Run[] {
  if (renames.size === 0) return runs;
  const rename = <T extends { labels: Labels }>(value: T): T => {
    const to = renames.get(value.labels.code_level ?? "");
    return to === undefined ? value : { ...value, labels: { ...value.labels, code_level: to } };
  };
  return runs.map((run) => {
    const metrics = [...run.metrics].map(([name, values]) => [name, values.map(rename)] as const);
    for (const [, values] of metrics) {
      const keys = new Set(values.map(({ labels }) => JSON.stringify(Object.entries(labels).toSorted())));
      if (keys.size < values.length) {
        const at = new Date(run.at * 1000).toISOString();
        throw new Error(
          `--rename-code-level: the run of ${at} has a code level under its old and its new name`,
        );
      }
    }
    return { ...run, pushes: run.pushes.map(rename), metrics: new Map(metrics) };
  });
}
