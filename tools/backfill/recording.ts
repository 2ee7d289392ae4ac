/** A series' labels, without its name. */
export type Labels = Record<string, string>;

/** A value, and when it was recorded, in seconds. */
export interface Sample {
  at: number;
  value: number;
}

/** A series: a sample for each run that it is of, in the order of time. */
export interface Series {
  labels: Labels;
  samples: Sample[];
}

/** All that is recorded, by name and labels. */
export class Recording {
  private readonly families = new Map<string, Map<string, Series>>();

  /** Adds a sample, which is newer than those of the series before. */
  add(name: string, labels: Labels, sample: Sample): void {
    const family = this.families.get(name) ?? new Map<string, Series>();
    this.families.set(name, family);
    const key = keyOf(labels);
    const series = family.get(key) ?? { labels, samples: [] };
    family.set(key, series);
    series.samples.push(sample);
  }

  /** The series of a name. */
  family(name: string): Series[] {
    return [...(this.families.get(name)?.values() ?? [])];
  }

  /** `last_over_time(name[seconds]) @ at`: the newest sample of each series in the window that ends with `at`. */
  last(name: string, at: number, seconds: number): { labels: Labels; value: number }[] {
    return this.family(name).flatMap(({ labels, samples }) => {
      const sample = samples.findLast((one) => one.at <= at);
      return sample === undefined || sample.at <= at - seconds ? [] : [{ labels, value: sample.value }];
    });
  }

  /** What a series has after `from`, until and with `until`: a range of PromQL leaves its beginning out. */
  within(name: string, labels: Labels, from: number, until: number): Sample[] {
    const samples = this.families.get(name)?.get(keyOf(labels))?.samples ?? [];
    const first = samples.findLastIndex(({ at }) => at <= from) + 1;
    return samples.slice(first).filter(({ at }) => at <= until);
  }

  /**
   * The text of OpenMetrics, series by series, of what was recorded from a moment on. It has no word for the end
   * of a series, where the rules leave a mark a minute later: a selector without a range sees each sample for
   * five minutes. Dashboards and alerts ask for ranges, which don't see marks.
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
