import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { RECORDED_METRICS } from "../../monitoring-mixin/metrics.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { readArguments } from "../../tools/backfill/arguments.ts";
import { openPrometheus } from "../../tools/backfill/prometheus.ts";
import { readRuns } from "../../tools/backfill/read.ts";
import { renameLevels } from "../../tools/backfill/rename.ts";
import type { Labels } from "../../tools/backfill/recording.ts";
import { Recording } from "../../tools/backfill/recording.ts";
import type { Run, Value } from "../../tools/backfill/run.ts";
import { record, summary } from "../../tools/backfill/runs.ts";
import { root } from "../pages.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Start of the test data: an arbitrary full minute, as Unix time in s. */
const START = 1_700_000_040;

const labels = { job: "k8sfv", test_name: "leak", code_level: "A" };
const measured = { ...labels, process: "felix" };

/** Returns a run with these values, which was recorded `seconds` after START and pushed 17.25 s earlier. */
function runAt(seconds: number, ...values: [metric: string, labels: Labels, value: number][]): Run {
  const pushed = START + seconds - 17.25;
  const metrics = new Map<string, Value[]>();
  const add = (metric: string, value: Value) => metrics.set(metric, [...(metrics.get(metric) ?? []), value]);
  for (const [metric, of, value] of values) {
    add(metric, { labels: of, value });
    if (metric === "k8sfv_test_result") {
      add("k8sfv_test_push_time_seconds", { labels: of, value: pushed });
    }
  }
  return { at: START + seconds, pushes: [{ labels: { job: "k8sfv" }, value: pushed }], metrics };
}

const mean = (seconds: number, value: number, of: Labels = measured) =>
  runAt(seconds, ["k8sfv_occupancy_mean_bytes", of, value]);
/** Returns a run of code level A with these test results, recorded `seconds` after START. */
const results = (seconds: number, tests: Record<string, number>) =>
  runAt(
    seconds,
    ...Object.entries(tests).map(([test, result]): [string, Labels, number] => [
      "k8sfv_test_result",
      { job: "k8sfv", test_name: test, code_level: "A" },
      result,
    ]),
  );

/** Returns the samples of a recorded series at the time of the last run, each with its labels. */
function last(runs: Run[], name: string): [Labels, number][] {
  const at = runs.at(-1)?.at;
  return record(runs)
    .family(name)
    .flatMap(({ labels: of, samples }) =>
      samples.filter((sample) => sample.at === at).map(({ value }): [Labels, number] => [of, value]),
    );
}

const median = (runs: Run[], days = 7) =>
  last(runs, `nightly:k8sfv_occupancy_mean_bytes:median${days}d`).map(([, value]) => value);

/** Returns the last sample of `nightly:k8sfv_test_result` of each test. */
const nightly = (runs: Run[]) =>
  Object.fromEntries(
    record(runs)
      .family("nightly:k8sfv_test_result")
      .map(({ labels: of, samples }) => [of.test_name ?? "", samples.at(-1)?.value]),
  );

/** Returns how many nightly runs the backfill records for each code level. */
const nights = (runs: Run[]) =>
  record(runs)
    .family("nightly:start_time_seconds")
    .map(({ samples }) => samples.length);

test("records a sample of each series of the recording rules, except run:rerun", () => {
  const run = (seconds: number) =>
    runAt(seconds, ...RECORDED_METRICS.map((metric): [string, Labels, number] => [metric, measured, 1]));
  const runs = [0, 1, 2, 3].map((n) => run(n * DAY));
  const names = (recordingGroups()[0]?.rules.map((rule) => rule.record) ?? []).filter(
    (name) => name !== "run:rerun",
  );
  expect(names.length).toBeGreaterThan(10);
  expect(
    names.filter((name) => last(runs, name).length !== 1),
    "series of monitoring-mixin/run-rules.ts that the backfill doesn't record: add them to tools/backfill/nightly.ts",
  ).toEqual([]);
  const written = [...record(runs).openMetrics()].filter((line) => line.startsWith("# TYPE"));
  expect(written.toSorted()).toEqual(names.map((name) => `# TYPE ${name} gauge\n`).toSorted());
});

test("records the push time of each result", () => {
  const runs = [results(0, { leak: 1 })];
  expect(last(runs, "run:push_time_seconds")).toEqual([[{ job: "k8sfv" }, START - 17.25]]);
  expect(last(runs, "run:k8sfv_test_push_time_seconds")).toEqual([[labels, START - 17.25]]);
});

test("records the minimum, mean and maximum of the heap for each process", () => {
  const steps = (process: string, ...bytes: number[]) =>
    bytes.map((value, step): [string, Labels, number] => [
      "k8sfv_heap_alloc_bytes",
      { ...labels, process, test_step: `iteration${step}` },
      value,
    ]);
  const runs = [runAt(0, ...steps("felix", 100, 9, 20), ...steps("typha", NaN, 3), ...steps("none", NaN))];
  const of = (what: string) =>
    Object.fromEntries(
      last(runs, `nightly:k8sfv_heap_alloc_bytes:${what}`).map(([its, value]) => [its.process ?? "", value]),
    );
  expect(of("min")).toEqual({ felix: 9, typha: 3 });
  expect(of("avg")).toEqual({ felix: 43, typha: 3 });
  expect(of("max")).toEqual({ felix: 100, typha: 3 });
});

test("computes the median of at least three earlier runs, and ignores the values NaN, 0 and infinity", () => {
  const days = (...values: number[]) => values.map((value, n) => mean(n * DAY, value));
  expect(median(days(5, 6, 1000))).toEqual([]);
  expect(median(days(5, 8, 6, 1000))).toEqual([6]);
  expect(median(days(5, 8, 6, 7, 1000))).toEqual([6.5]);
  expect(median(days(7, NaN, 0, Infinity, 8, 9, 1000))).toEqual([8]);
  expect(median([mean(0, 1, { ...measured, code_level: "B" }), ...days(0, 5, 6, 7)])).toEqual([]);
});

test("computes the medians of the 7 and 30 days and 12 hours before the previous rule evaluation", () => {
  for (const days of [7, 30]) {
    const window = days * DAY + 12 * HOUR + 60;
    const runs = (at: number) => [mean(0, 5), mean(60, 5), mean(120, 5), mean(at, 1000)];
    expect(median(runs(window - 60), days)).toEqual([5]);
    expect(median(runs(window), days)).toEqual([]);
  }
});

test("records a label whose value differs in each run, and computes medians across its values", () => {
  const build = (n: number) => mean(n * DAY, 5 + n, { ...measured, build: String(n) });
  const runs = [0, 1, 2, 3].map(build);
  expect(last(runs, "run:k8sfv_occupancy_mean_bytes")).toEqual([[{ ...measured, build: "3" }, 8]]);
  expect(median(runs)).toEqual([6]);
});

test("combines runs within 17 hours into one nightly run, unless the later run is complete and starts after 6 hours or more", () => {
  const all = { leak: 1, other: 1 };
  const second = (hours: number, tests: Record<string, number>) =>
    nights([results(0, all), results(hours * HOUR, tests)]);
  expect(second(0.5, all)).toEqual([1]);
  expect(second(6, all)).toEqual([2]);
  expect(second(16, { leak: 1 })).toEqual([1]);
  expect(second(17, { leak: 1 })).toEqual([2]);
});

test("in one nightly run: records the worse of two complete runs, the last result of a rerun test, and the tests of all shards", () => {
  const first = results(0, { leak: 0, other: 1 });
  expect(nightly([first, results(HOUR, { leak: 1, other: 1 })])).toEqual({ leak: 0, other: 1 });
  expect(nightly([first, results(HOUR, { leak: 1 })])).toEqual({ leak: 1, other: 1 });
  expect(nightly([first, results(HOUR, { more: 1, most: NaN })])).toMatchObject({
    leak: 0,
    more: 1,
    most: 0,
  });
  expect(nightly([first, results(DAY, { leak: 1, other: 1 })])).toEqual({ leak: 1, other: 1 });
});

test("writes OpenMetrics text with families, escaped labels and Prometheus's number format", () => {
  const recording = new Recording();
  recording.add("run:a", {}, { at: 60, value: 1e21 });
  recording.add("run:b", { test_name: 'says "no"\\\n[slow]', job: "k8sfv" }, { at: 60, value: 0.1 });
  recording.add("run:b", { job: "x" }, { at: 60, value: -Infinity });
  recording.add("run:b", { job: "k8sfv", test_name: 'says "no"\\\n[slow]' }, { at: 120, value: NaN });
  expect([...recording.openMetrics()].join("").split("\n")).toEqual([
    "# TYPE run:a gauge",
    "run:a 1e+21 60",
    "# TYPE run:b gauge",
    String.raw`run:b{test_name="says \"no\"\\\n[slow]",job="k8sfv"} 0.1 60`,
    String.raw`run:b{test_name="says \"no\"\\\n[slow]",job="k8sfv"} NaN 120`,
    'run:b{job="x"} -Inf 60',
    "# EOF",
    "",
  ]);
  expect([...recording.openMetrics(120)].join("")).not.toContain(" 60\n");
});

test("summarizes the number of runs of each code level", () => {
  const b: [string, Labels, number] = ["k8sfv_test_result", { ...labels, code_level: "B" }, 1];
  const a: [string, Labels, number] = ["k8sfv_test_result", labels, 1];
  const runs = [results(0, { a: 1, b: 1 }), runAt(DAY, a, b), runAt(2 * DAY)];
  expect(summary(runs)).toEqual([
    "A: 2 runs, from 2023-11-14 to 2023-11-15",
    "B: 1 run, from 2023-11-15 to 2023-11-15",
    "no result: 1 run, from 2023-11-16 to 2023-11-16",
  ]);
});

type ReceivedQuery = URLSearchParams & { path: string; authorization: string | undefined };

/** Starts an HTTP server and returns its HOST:PORT. `respond` returns the body of the response to a query. */
async function server(respond: (received: ReceivedQuery) => unknown, status = 200): Promise<string> {
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const { authorization } = request.headers;
    const body = respond(Object.assign(url.searchParams, { path: url.pathname, authorization }));
    response.writeHead(status).end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const success = (...result: unknown[]) => ({ status: "success", data: { result } });

test("reads each push once, skips weeks without pushes and ignores push time 0", async () => {
  const week = 7 * DAY;
  const receivedQueries: ReceivedQuery[] = [];
  const address = await server((received) => {
    receivedQueries.push(received);
    const at = Number(received.get("start"));
    if (received.path.endsWith("/query")) return success();
    if (received.get("step") === String(week)) {
      return success({ metric: {}, values: [2, 5].map((n) => [START + n * week, "1"]) });
    }
    // Five values of push_time_seconds, one per minute, for each of the two weeks with pushes. In the first week, the
    // only push time is 5.5. In the second week, the series shows 5.5 again, before and after the new push time 9.5.
    // The value 0 is no push.
    const shown = ["5.5", "5.5", at < START + 2 * week ? "5.5" : "9.5", "5.5", "0"];
    return success({ metric: {}, values: shown.map((pushed, n) => [at + n * 60, pushed]) });
  });
  const wanted = { match: 'job="k8sfv"', from: START, until: START + 52 * week };
  const runs = await readRuns(openPrometheus(`http://${address}`), wanted, () => undefined);
  expect(runs.map(({ at, pushes }) => [at, pushes])).toEqual([
    [START + week + 60, [{ labels: { job: "k8sfv" }, value: 5.5 }]],
    [START + 4 * week + 60 + 120, [{ labels: { job: "k8sfv" }, value: 9.5 }]],
  ]);
  expect(receivedQueries.filter(({ path }) => path.endsWith("/query_range"))).toHaveLength(3);
  const times = receivedQueries.filter(({ path }) => path.endsWith("/query")).map((one) => one.get("time"));
  expect(new Set(times)).toEqual(new Set(runs.map(({ at }) => String(at))));
  const minutes = receivedQueries.map((one) => (Number(one.get("end")) - Number(one.get("start"))) / 60);
  expect(Math.max(...minutes.slice(1, 3))).toBeLessThan(11_000);
});

test("removes the labels that a scrape adds to series, and sets the job of recorded series", async () => {
  const { job, ...pushed } = measured;
  const address = await server((received) => {
    const query = received.get("query") ?? "";
    if (received.path.endsWith("/query")) {
      expect(query).toMatch(/^max without \(job, exported_job, .*exported_job="k8sfv"/);
      expect(query).toContain('push_time_seconds{branch="x", pod="a", code_level=""} == 1.25');
      if (!query.includes("(k8sfv_test_result{")) return success();
      return success({ metric: { ...pushed, branch: "x" }, value: [START, "+Inf"] });
    }
    return success({ metric: { branch: "x", pod: "a" }, values: [[START, "1.25"]] });
  });
  const wanted = { match: 'exported_job="k8sfv"', from: START - DAY, until: START };
  const [run] = await readRuns(openPrometheus(`http://${address}`), wanted, () => undefined);
  expect(run?.pushes).toEqual([{ labels: { job, branch: "x" }, value: 1.25 }]);
  expect(run?.metrics.get("k8sfv_test_result")).toEqual([
    { labels: { ...pushed, job, branch: "x" }, value: Infinity },
  ]);
});

test("sends the password of a URL, but includes it in no message", async () => {
  let sent: string | undefined;
  const address = await server((received) => {
    sent = received.authorization;
    return { status: "error", error: "query processing would load too many samples" };
  }, 422);
  const prometheus = openPrometheus(`http://me:s%3Acret@${address}/prometheus/`);
  expect(prometheus.url).toBe(`http://${address}/prometheus`);
  await expect(prometheus.query("up", 0)).rejects.toThrow(
    new Error(`http://${address}/prometheus returned 422: query processing would load too many samples`),
  );
  expect(sent).toBe(`Basic ${Buffer.from("me:s:cret").toString("base64")}`);
  for (const wrong of ["me:s:cret@example.org", "ftp://me:s%3Acret@example.org", "nothing"]) {
    expect(() => openPrometheus(wrong)).toThrow(
      new Error("Prometheus's address must be a URL like http://127.0.0.1:9090"),
    );
  }
});

test("reports the URL if nothing responds, or if the response is not Prometheus's", async () => {
  const address = await server(() => "<html>Sign in\n…", 200);
  await expect(openPrometheus(`http://${address}`).query("up", 0)).rejects.toThrow(
    `http://${address} returned 200: <html>Sign in`,
  );
  await expect(openPrometheus("http://me:secret@127.0.0.1:1").query("up", 0)).rejects.toThrow(
    "http://127.0.0.1:1 does not respond: ",
  );
});

test("parses arguments, and uses the last five years by default", () => {
  const now = Date.parse("2026-11-20T12:00:00.5Z");
  const [from, until] = [Date.parse("2021-11-21T12:00Z") / 1000, Math.floor(now / 1000)];
  expect(readArguments(["http://a"], now)).toEqual({
    url: "http://a",
    match: 'job="k8sfv"',
    from,
    until,
    renames: new Map(),
  });
  const said = ["--from", "2026-01-01", "--until", "2026-02-01T01:30:00+01:00", "--match", 'job="x"'];
  expect(readArguments(["http://a", ...said])).toMatchObject({
    match: 'job="x"',
    from: Date.parse("2026-01-01") / 1000,
    until: Date.parse("2026-02-01T00:30Z") / 1000,
  });
});

test("renames a code level in all metrics, and rejects a new name that is already a code level", () => {
  const url = "https://github.com/projectcalico/felix.git-master";
  const { renames } = readArguments(["http://a", "--rename-code-level", `A=${url}`]);
  const other: [string, Labels, number] = ["k8sfv_test_result", { ...labels, code_level: "B" }, 1];
  const [renamed] = renameLevels([runAt(0, ["k8sfv_test_result", labels, 1], other)], renames);
  const levels = [...(renamed?.metrics.values() ?? [])].map((values) =>
    values.map(({ labels: of }) => of.code_level),
  );
  expect(levels).toEqual([
    [url, "B"],
    [url, "B"],
  ]);
  expect(() =>
    renameLevels([runAt(0, ["k8sfv_test_result", labels, 1], other)], new Map([["B", "A"]])),
  ).toThrow("has a code level under its old and its new name");
});

test.each([
  [["http://a", "--rename-code-level", "master"], "--rename-code-level master is not OLD=NEW"],
  [["http://a", "--from", "yesterday"], "--from yesterday is not a date like 2026-11-20"],
  [["http://a", "--until", "2026-13-20"], "--until 2026-13-20 is not a date like 2026-11-20"],
  [["http://a", "--from", "2026-11-20", "--until", "2026-11-20"], "--from 2026-11-20 must be before"],
])("rejects the arguments %j", (args, words) => {
  expect(() => readArguments(args)).toThrow(words);
});

test("reports that there is no run, and suggests another selector", async () => {
  const address = await server(() => success());
  const dates = ["--from", "2026-01-01", "--until", "2026-02-01T12:00:00Z"];
  const args = ["--import", "tsx", "tools/backfill.ts", `http://me:secret@${address}`, ...dates];
  const { exitCode, stdout, stderr } = await execa(process.execPath, args, { cwd: root, reject: false });
  expect([exitCode, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(
    `No run: http://${address} has nothing for push_time_seconds{job="k8sfv"} from 2026-01-01 to 2026-02-01.`,
  );
  expect(stderr).toContain("--match 'exported_job=\"k8sfv\"'");
  expect(stderr).not.toContain("secret");
});
