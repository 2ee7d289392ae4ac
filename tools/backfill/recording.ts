/** Labels of a series without its name. */
export type Labels = Record<string, string>;

/** A value with its time in seconds. */
export interface Sample {
  at: number;
  value: number;
}

/** A series with one sample per run, in order of time. */
export interface Series {
  labels: Labels;
  samples: Sample[];
}

/** All recorded series by name and labels. */
export class Recording {
  private readonly families = new Map<string, Map<string, Series>>();

  /** Appends a sample, which must be newer than the series' last one. */
  add(name: string, labels: Labels, sample: Sample): void {
    const family = this.families.get(name) ?? new Map<string, Series>();
    this.families.set(name, family);
    const key = keyOf(labels);
    const series = family.get(key) ?? { labels, samples: [] };
    family.set(key, series);
    series.samples.push(sample);
  }

  /** Returns all series of the metric `name`. */
  family(name: string): Series[] {
    return [...(this.families.get(name)?.values() ?? [])];
  }

  /** Evaluates `last_over_time(name[seconds]) @ at`: each series' newest sample in the window that ends at `at`. */
  last(name: string, at: number, seconds: number): { labels: Labels; value: number }[] {
    return this.family(name).flatMap(({ labels, samples }) => {
      const sample = samples.findLast((one) => one.at <= at);
      return sample === undefined || sample.at <= at - seconds ? [] : [{ labels, value: sample.value }];
    });
  }

  /** Returns a series' samples in (from, until], like a PromQL range. */
  within(name: string, labels: Labels, from: number, until: number): Sample[] {
    const samples = this.families.get(name)?.get(keyOf(labels))?.samples ?? [];
    const first = samples.findLastIndex(({ at }) => at <= from) + 1;
    return samples.slice(first).filter(({ at }) => at <= until);
  }

  /**
   * Yields the OpenMetrics text of all samples since `from`, series by series. The recording rules write a staleness
   * marker a minute after a run, but OpenMetrics has none, so a selector without a range returns a backfilled sample for
   * five minutes. Dashboards and alerts use ranges, which ignore staleness markers.
   */
  *openMetrics(from = 0): Generator<string> {
    for (const [name, family] of this.families) {
      yield `# TYPE ${name} gauge\n`;
      for (const { labels, samples } of family.values()) {
        const series = `${name}${textOf(labels)}`;
        for (const { at, value } of samples) if (at >= from) yield `${series} ${numberText(value)} ${at}\n`;
      }
    }
    yield "# EOF\n";
  }
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function textOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  return String(value).replace("Infinity", "Inf");
}
