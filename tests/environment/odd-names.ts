/** Test names that would break a query if Grafana inserted a variable's value in its default format. */
export const ODD_NAMES = [
  "it's quoted",
  'says "hi" (a.b)',
  "back\\slash \\d",
  "two\nlines",
  '`kubectl get` "works" (`a.b`)',
];

/** Code level of the runs of these tests. */
export const ODD_LEVEL = "https://github.com/projectcalico/felix.git-odd";

/** Returns two recorded runs of each test in ODD_NAMES, in OpenMetrics: at `at` (Unix time in s) and a day earlier. */
export function oddRuns(at: number): string[] {
  const series: Record<string, (time: number) => number> = {
    "nightly:k8sfv_test_result": () => 1,
    "nightly:k8sfv_test_push_time_seconds": (time) => time - 60,
    "nightly:k8sfv_heap_alloc_bytes:min": () => 30e6,
    "nightly:k8sfv_heap_alloc_bytes:avg": () => 40e6,
    "nightly:k8sfv_heap_alloc_bytes:max": () => 50e6,
  };
  const labels = (name: string) =>
    `test_name="${escaped(name)}",code_level="${ODD_LEVEL}",process="felix",job="k8sfv"`;
  const recorded = Object.entries(series).flatMap(([metric, value]) => [
    `# TYPE ${metric} gauge`,
    ...ODD_NAMES.flatMap((name) =>
      [at - 24 * 3600, at].map((time) => `${metric}{${labels(name)}} ${value(time)} ${time}`),
    ),
  ]);
  const steps = ODD_NAMES.flatMap((name) =>
    [0, 1, 2].map((step) => {
      const all = `${labels(name)},test_step="iteration${step}"`;
      return `nightly:k8sfv_heap_alloc_bytes{${all}} ${40e6 + step * 1e6} ${at}`;
    }),
  );
  const starts = [at - 24 * 3600, at].map(
    (time) => `nightly:start_time_seconds{code_level="${ODD_LEVEL}"} ${time - 120} ${time}`,
  );
  return [
    "# TYPE nightly:start_time_seconds gauge",
    ...starts,
    ...recorded,
    "# TYPE nightly:k8sfv_heap_alloc_bytes gauge",
    ...steps,
  ];
}

/** Returns the series ALERTS of a firing alert in OpenMetrics, for an hour from `at` (Unix time in s). */
export function firingAlert(at: number): string[] {
  const labels = 'alertname="TestFailed",alertstate="firing",kind="nightly",code_level="master"';
  const minutes = Array.from({ length: 60 }, (_, minute) => `ALERTS{${labels}} 1 ${at + minute * 60}`);
  return ["# TYPE ALERTS gauge", ...minutes];
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
