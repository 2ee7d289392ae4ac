/** The proxy's own metrics. */

/** Statuses whose counters exist from the start with 0, so that the first push is an increase. */
const STATUSES = [202, 400, 401, 404, 408, 413, 431, 503, 504, 507];

const pushes = new Map(STATUSES.map((status) => [status, 0]));

const STARTED = Date.now() / 1000 - process.uptime();

/** Counters and gauges that other modules set. */
export const counters = {
  /** Starts of the canary. */
  canaryStarts: 0,
  /** Bytes of the Pushgateway's persistence file. */
  storedBytes: 0,
  /** Whether the Pushgateway's last /metrics response was complete and valid; undefined before the first one. */
  expositionValid: undefined as boolean | undefined,
};

export function countPush(status: number): void {
  pushes.set(status, (pushes.get(status) ?? 0) + 1);
}

/** Returns the metrics in the text exposition format. */
export function ownMetrics(storedBytesLimit: number): string {
  const { canaryStarts, storedBytes, expositionValid } = counters;
  const family = (name: string, type: string, help: string, samples: [string, number][]) =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join("")}`;
  const gauge = (name: string, help: string, value: number) => family(name, "gauge", help, [["", value]]);
  return [
    family(
      "push_proxy_pushes_total",
      "counter",
      "Pushes (PUT and POST) by the status of the response.",
      [...pushes].map(([status, count]) => [`{code="${status}"}`, count]),
    ),
    family(
      "push_proxy_canary_starts_total",
      "counter",
      "Starts of the canary: the first one, and one after each push that ended the canary.",
      [["", canaryStarts]],
    ),
    gauge("push_proxy_stored_bytes", "Bytes of the Pushgateway's persistence file.", storedBytes),
    gauge(
      "push_proxy_stored_bytes_limit",
      "Bytes of the persistence file above which pushes are refused.",
      storedBytesLimit,
    ),
    gauge("process_start_time_seconds", "Start of the proxy's process, in Unix time.", STARTED),
    gauge(
      "process_resident_memory_bytes",
      "Resident memory of the proxy without its canary.",
      process.memoryUsage.rss(),
    ),
    expositionValid === undefined
      ? ""
      : gauge(
          "push_proxy_exposition_valid",
          "1 if the Pushgateway's last response with metrics was complete and valid, else 0.",
          expositionValid ? 1 : 0,
        ),
  ].join("");
}
