import { expect, test } from "vitest";
import type { Connection } from "../../tools/smoke/connections.ts";
import { longTermStore, waitForStore } from "../../tools/smoke/long-term.ts";

const never = new AbortController().signal;
const HOST = "prometheus.monitoring";

/** A connection to a workload that responds to all requests with this object, or to none. */
function answering(answer?: (path: string) => object): Connection {
  return {
    url: "",
    close: () => undefined,
    ask: (path) =>
      Promise.resolve(
        answer === undefined
          ? { ok: false, status: 404, text: "Data source not found" }
          : { ok: true, status: 200, text: JSON.stringify(answer(path)) },
      ),
  };
}

/** A Prometheus whose queue of the store is this far behind, in seconds; undefined without a queue. */
function behind(seconds: number | undefined): Connection {
  const result = seconds === undefined ? [] : [{ value: [0, String(seconds)] }];
  return answering(() => ({ data: { result } }));
}

test("finds no long-term store where Grafana reads Prometheus itself", async () => {
  const grafana = answering(() => ({ url: "http://prometheus.monitoring:9090" }));
  expect(await longTermStore(grafana, HOST)).toBeUndefined();
});

test("returns the base URL of the long-term store", async () => {
  const url = "https://mimir.example.com/prometheus";
  expect(
    await longTermStore(
      answering(() => ({ url })),
      HOST,
    ),
  ).toBe(url);
});

test("says what to do without the data source", async () => {
  await expect(longTermStore(answering(), HOST)).rejects.toThrow(
    /no data source my-prom \(404\): run pulumi up/,
  );
});

test("waits until the store returns the sample, through errors", async () => {
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
  ["another store is read", behind(2), /longTerm.readUrl leads to the same store/],
])("names the cause when %s", async (_, prometheus, expected) => {
  const waiting = waitForStore(prometheus, () => Promise.resolve([]), 7, never, 0);
  await expect(waiting).rejects.toThrow(/has not returned 7 within 0 s: it returns \[\]/);
  await expect(waitForStore(prometheus, () => Promise.resolve([]), 7, never, 0)).rejects.toThrow(expected);
});
