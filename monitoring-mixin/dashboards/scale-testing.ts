import { FELIX_JOB } from "../../lib/workloads.ts";
import { type Dashboard, makeDashboard } from "./dashboard.ts";
import { type PanelArgs, timeSeries } from "./panels.ts";
import { chosen, variable } from "./variables.ts";

const CHOSEN = `job="${FELIX_JOB}", ${chosen("instance")}`;

/**
 * Returns the dashboard of Felix under test, from the metrics that Felix exposes as job `felix`. Felix is scraped only
 * during a run, so a range of days is mostly empty. Gauges show the maximum of each query step, so that no run is
 * missed. Rates are averages over at least a step. In a range of months they are low, because Felix ran only during a
 * part of each step.
 */
export function scaleTesting(): Dashboard {
  return makeDashboard({
    title: "k8s scale testing",
    uid: "k8s-scale-testing",
    description: "Felix under the load of a run: endpoints, iptables, memory, garbage collection and CPU",
    range: "24h",
    refresh: "1m",
    variables: [
      variable({
        name: "instance",
        label: "Felix",
        description: "Felix instances to show",
        series: `felix_cluster_num_workload_endpoints{job="${FELIX_JOB}"}`,
      }),
    ],
    panels: [...load(), ...iptables(), ...process()],
  });
}

function gauge(metric: string, labels = CHOSEN): string {
  return `max_over_time(${metric}{${labels}}[$__interval])`;
}

function rate(metric: string): string {
  return `rate(${metric}{${CHOSEN}}[$__rate_interval])`;
}

function savesAndRestores(counter: "calls" | "errors") {
  return ["save", "restore"].map((action) => ({
    expr: rate(`felix_iptables_${action}_${counter}`),
    legend: `${action} · {{instance}}`,
  }));
}

function panel(args: Omit<PanelArgs, "width"> & { width?: number }) {
  return timeSeries({ width: 12, min: 0, minStep: "30s", ...args });
}

function load() {
  return [
    panel({
      id: 1,
      title: "Workload endpoints",
      description: "Number of workload endpoints in the whole cluster that Felix knows.",
      unit: "none",
      width: 24,
      queries: [{ expr: gauge("felix_cluster_num_workload_endpoints"), legend: "{{instance}}" }],
    }),
  ];
}

function iptables() {
  const table = "{{table}} · IPv{{ip_version}} · {{instance}}";
  return [
    panel({
      id: 2,
      title: "iptables chains",
      description: "Chains that Felix programs, by table.",
      unit: "none",
      queries: [{ expr: gauge("felix_iptables_chains"), legend: table }],
    }),
    panel({
      id: 3,
      title: "iptables rules",
      description: "Rules that Felix programs, by table.",
      unit: "none",
      queries: [{ expr: gauge("felix_iptables_rules"), legend: table }],
    }),
    panel({
      id: 4,
      title: "iptables calls",
      description: "Rate at which Felix reads all of iptables (save) and writes to it (restore).",
      unit: "cps",
      queries: savesAndRestores("calls"),
    }),
    panel({
      id: 5,
      title: "Failed iptables calls",
      description: "Failed reads (save) and writes (restore) of iptables; Felix retries them.",
      unit: "cps",
      queries: savesAndRestores("errors"),
    }),
    panel({
      id: 6,
      title: "iptables lines written",
      description: "Lines of rules that Felix writes to iptables, by table.",
      unit: "cps",
      width: 24,
      queries: [{ expr: rate("felix_iptables_lines_executed"), legend: table }],
    }),
  ];
}

function process() {
  return [
    panel({
      id: 7,
      title: "Heap in use",
      description: "Bytes of the Go heap that are in use.",
      unit: "bytes",
      queries: [{ expr: gauge("go_memstats_heap_inuse_bytes"), legend: "{{instance}}" }],
    }),
    panel({
      id: 8,
      title: "Garbage collection",
      description: "Pauses of Felix for garbage collection: median and maximum of the latest ones.",
      unit: "s",
      queries: [
        {
          expr: gauge("go_gc_duration_seconds", `${CHOSEN}, quantile=~"0.5|1"`),
          legend: "quantile {{quantile}} · {{instance}}",
        },
      ],
    }),
    panel({
      id: 9,
      title: "Memory",
      description: "Resident and virtual memory of the process.",
      unit: "bytes",
      queries: [
        { expr: gauge("process_resident_memory_bytes"), legend: "resident · {{instance}}" },
        { expr: gauge("process_virtual_memory_bytes"), legend: "virtual · {{instance}}" },
      ],
    }),
    panel({
      id: 10,
      title: "CPU time per 10 minutes",
      description: "CPU seconds that the process would use in 10 minutes at its current rate.",
      unit: "s",
      queries: [{ expr: `600 * ${rate("process_cpu_seconds_total")}`, legend: "{{instance}}" }],
    }),
  ];
}
