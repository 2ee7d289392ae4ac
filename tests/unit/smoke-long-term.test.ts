import { expect, test } from "vitest";
import type { Connection } from "../../tools/smoke/connections.ts";
import { longTermStore, waitForStore } from "../../tools/smoke/long-term.ts";

const never = new AbortController().signal;
const HOST = "prometheus.monitoring";

/**
 * Returns a fake connection to a workload. It responds to all requests with an object, or with 404 if there
 * is no `response`.
 */
function connectionWith(response?: (path: string) => object): Connection {
  return {
    url: "",
    close: () => undefined,
    request: (path) =>
      Promise.resolve(
        response === undefined
          ? { ok: false, status: 404, text: "Data source not found" }
          : { ok: true, status: 200, text: JSON.stringify(response(path)) },
      ),
  };
}

/**
 * Returns a fake Prometheus whose remote-write queue is some seconds behind. It has no queue if `seconds` is
 * undefined.
 */
function behind(seconds: number | undefined): Connection {
  const result = seconds === undefined ? [] : [{ value: [0, String(seconds)] }];
  return connectionWith(() => ({ data: { result } }));
}

test("returns no long-term store if Grafana queries Prometheus itself", async () => {
  const grafana = connectionWith(() => ({ url: "http://prometheus.monitoring:9090" }));
  expect(await longTermStore(grafana, HOST)).toBeUndefined();
});

test("returns the base URL of the long-term store", async () => {
  const url = "https://mimir.example.com/prometheus";
  expect(
    await longTermStore(
      connectionWith(() => ({ url })),
      HOST,
    ),
  ).toBe(url);
});

test("reports a missing data source with a solution", async () => {
  await expect(longTermStore(connectionWith(), HOST)).rejects.toThrow(
    /no data source my-prom \(404\): run pulumi up/,
  );
});

test("waits until the store returns the sample, despite errors", async () => {
  const responses = [new Error("502"), [], [7]];
  const read = () => {
    const next = responses.shift() ?? [7];
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
  await waitForStore(behind(0), read, 7, never, 5000);
  expect(responses).toEqual([]);
});

test.each<[string, Connection, RegExp]>([
  ["Prometheus has no queue", behind(undefined), /does not write to it: check longTerm.writeUrl/],
  ["the queue is behind", behind(300), /300 s behind.*PrometheusRemoteWriteBehind/],
  ["Grafana queries another store", behind(2), /longTerm.readUrl leads to the same store/],
])("names the cause when %s", async (_, prometheus, expected) => {
  const waiting = waitForStore(prometheus, () => Promise.resolve([]), 7, never, 0);
  await expect(waiting).rejects.toThrow(/has not returned 7 within 0 s: it returns \[\]/);
  await expect(waitForStore(prometheus, () => Promise.resolve([]), 7, never, 0)).rejects.toThrow(expected);
});
