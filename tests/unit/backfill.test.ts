import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { KEPT } from "../../monitoring-mixin/metrics.ts";
import { recordingGroups } from "../../monitoring-mixin/recording-rules.ts";
import { readArguments } from "../../tools/backfill/arguments.ts";
import { openPrometheus } from "../../tools/backfill/prometheus.ts";
import { readRuns } from "../../tools/backfill/read.ts";
import type { Labels } from "../../tools/backfill/recording.ts";
import { Recording } from "../../tools/backfill/recording.ts";
import type { Run } from "../../tools/backfill/runs.ts";
import { record, summary } from "../../tools/backfill/runs.ts";
import { root } from "../pages.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Any full minute. */
const START = 1_700_000_040;

const labels = { job: "k8sfv", test_name: "leak", code_level: "A" };
const measured = { ...labels, process: "felix" };

/** A run that was recorded so many seconds after START, with these values. */
function runAt(seconds: number, ...values: [metric: string, labels: Labels, value: number][]): Run {
  const metrics = new Map<string, { labels: Labels; value: number }[]>();
  for (const [metric, of, value] of values) {
    metrics.set(metric, [...(metrics.get(metric) ?? []), { labels: of, value }]);
  }
  return { at: START + seconds, pushed: START + seconds - 17.25, metrics };
}

const mean = (seconds: number, value: number, of: Labels = measured) =>
  runAt(seconds, ["k8sfv_occupancy_mean_bytes", of, value]);
const results = (seconds: number, ...tests: [test: string, level?: string][]) =>
  runAt(
    seconds,
    ...tests.map(([test, level = "A"]): [string, Labels, number] => [
      "k8sfv_test_result",
      { job: "k8sfv", test_name: test, code_level: level },
      1,
    ]),
  );

/** The values of a name in the last run, by the labels that tell them apart. */
function last(runs: Run[], name: string): [Labels, number][] {
  const at = runs.at(-1)?.at;
  return record(runs)
    .family(name)
    .flatMap(({ labels: of, samples }) =>
      samples.filter((sample) => sample.at === at).map(({ value }): [Labels, number] => [of, value]),
    );
}

const median = (runs: Run[], days = 7) =>
  last(runs, `run:k8sfv_occupancy_mean_bytes:median${days}`).map(([, value]) => value);

/** Which tests are missing (1), and which are there (0). */
function missing(runs: Run[]): Record<string, number> {
  const all = last(runs, "run:k8sfv_test_missing");
  return Object.fromEntries(all.map(([of, value]) => [of.test_name ?? "", value]));
}

test("a run gives a sample of each series that the rules keep", () => {
  const run = (seconds: number) =>
    runAt(seconds, ...KEPT.map((metric): [string, Labels, number] => [metric, measured, 1]));
  const names = recordingGroups()[0]?.rules.map((rule) => rule.record) ?? [];
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => last([run(0), run(DAY)], name).length !== 1)).toEqual([]);
  const lines = [...record([run(0), run(DAY)]).openMetrics()];
  const written = lines.filter((line) => line.startsWith("# TYPE"));
  expect(written.toSorted()).toEqual(names.map((name) => `# TYPE ${name} gauge\n`).toSorted());
});

test("the push has no labels, and each result has its time", () => {
  const runs = [results(0, ["leak"])];
  expect(last(runs, "run:push_time_seconds")).toEqual([[{}, START - 17.25]]);
  expect(last(runs, "run:k8sfv_test_push_time_seconds")).toEqual([[labels, START - 17.25]]);
});

test("the heap's lowest, mean and highest step, for each process", () => {
  const steps = (process: string, ...bytes: number[]) =>
    bytes.map((value, step): [string, Labels, number] => [
      "k8sfv_heap_alloc_bytes",
      { ...labels, process, test_step: `iteration${step}` },
      value,
    ]);
  const runs = [runAt(0, ...steps("felix", 100, 9, 20), ...steps("typha", NaN, 3), ...steps("none", NaN))];
  const of = (what: string) =>
    Object.fromEntries(
      last(runs, `run:k8sfv_heap_alloc_bytes:${what}`).map(([its, value]) => [its.process ?? "", value]),
    );
  expect(of("min")).toEqual({ felix: 9, typha: 3, none: NaN });
  expect(of("avg")).toEqual({ felix: 43, typha: NaN, none: NaN });
  expect(of("max")).toEqual({ felix: 100, typha: 3, none: NaN });
  expect(last(runs, "run:k8sfv_heap_alloc_bytes:min")[0]?.[0]).toEqual(measured);
});

test("a median is of the runs before alone, and between two of them it is half way", () => {
  expect(median([mean(0, 5)])).toEqual([]);
  expect(median([mean(0, 5), mean(DAY, 1000)])).toEqual([5]);
  expect(median([mean(0, 5), mean(DAY, 8), mean(2 * DAY, 1000)])).toEqual([6.5]);
  expect(median([mean(0, 100), mean(DAY, 9), mean(2 * DAY, 20), mean(3 * DAY, 1000)])).toEqual([20]);
  expect(median([mean(0, 5, { ...measured, code_level: "B" }), mean(DAY, 1000)])).toEqual([]);
  // What is no number comes before all others.
  expect(median([mean(0, 7), mean(DAY, NaN), mean(2 * DAY, 9), mean(3 * DAY, 1000)])).toEqual([7]);
});

test("a median looks back 7 (30) days, 12 hours and the minute", () => {
  for (const days of [7, 30]) {
    const window = days * DAY + 12 * HOUR + 60;
    expect(median([mean(0, 5), mean(window - 60, 1000)], days)).toEqual([5]);
    expect(median([mean(0, 5), mean(window, 1000)], days)).toEqual([]);
  }
  expect(median([mean(0, 5), mean(60, 1000)])).toEqual([5]);
});

test("a test that its code level had in the 36 hours before is missing", () => {
  expect(missing([results(0, ["gone"], ["leak"]), results(DAY, ["leak"], ["new"])])).toEqual({
    gone: 1,
    leak: 0,
    new: 0,
  });
  expect(missing([results(0, ["gone"]), results(36 * HOUR, ["leak"])])).toEqual({ gone: 1, leak: 0 });
  expect(missing([results(0, ["gone"]), results(36 * HOUR + 60, ["leak"])])).toEqual({ leak: 0 });
  // It is told once; and a level that doesn't run misses nothing.
  expect(missing([results(0, ["gone"]), results(DAY, ["leak"]), results(2 * DAY, ["leak"])])).toEqual({
    leak: 0,
  });
  expect(missing([results(0, ["other", "B"]), results(HOUR, ["leak"])])).toEqual({ leak: 0 });
});

test("the text is OpenMetrics: families, escaped labels, Prometheus's numbers, and an end", () => {
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

test("people are told how often each code level ran", () => {
  const runs = [results(0, ["a"], ["b"]), results(DAY, ["a"], ["a", "B"]), runAt(2 * DAY)];
  expect(summary(runs)).toEqual([
    "A: 2 runs, from 2023-11-14 to 2023-11-15",
    "B: 1 run, from 2023-11-15 to 2023-11-15",
    "no result: 1 run, from 2023-11-16 to 2023-11-16",
  ]);
});

type Question = URLSearchParams & { path: string; authorization: string | undefined };

/** A server that answers like Prometheus, or otherwise. */
async function server(answer: (question: Question) => unknown, status = 200): Promise<string> {
  const http = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const { authorization } = request.headers;
    const given = answer(Object.assign(url.searchParams, { path: url.pathname, authorization }));
    response.writeHead(status).end(typeof given === "string" ? given : JSON.stringify(given));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return `127.0.0.1:${(http.address() as AddressInfo).port}`;
}

const success = (...result: unknown[]) => ({ status: "success", data: { result } });

test("a push is read once, when it was first seen; weeks without any aren't asked", async () => {
  const week = 7 * DAY;
  const questions: Question[] = [];
  const address = await server((question) => {
    questions.push(question);
    const at = Number(question.get("start"));
    if (question.path.endsWith("/query")) return success();
    if (question.get("step") === String(week)) {
      return success({ metric: {}, values: [2, 5].map((n) => [START + n * week, "1"]) });
    }
    // The one that was shown at the end of a week is still shown in the next, and comes back once more.
    const shown = [5, 5, at < START + 2 * week ? 5 : 9, 5];
    return success({ metric: {}, values: shown.map((pushed, n) => [at + n * 60, `${pushed}.5`]) });
  });
  const wanted = { match: 'job="k8sfv"', from: START, until: START + 52 * week };
  const runs = await readRuns(openPrometheus(`http://${address}`), wanted, () => undefined);
  expect(runs.map(({ at, pushed }) => [at, pushed])).toEqual([
    [START + week + 60, 5.5],
    [START + 4 * week + 60 + 120, 9.5],
  ]);
  expect(questions.filter(({ path }) => path.endsWith("/query_range"))).toHaveLength(3);
  expect(questions.filter(({ path }) => path.endsWith("/query")).map((one) => one.get("time"))).toEqual(
    runs.map(({ at }) => String(at)),
  );
  const minutes = questions.map((one) => (Number(one.get("end")) - Number(one.get("start"))) / 60);
  expect(Math.max(...minutes.slice(1, 3))).toBeLessThan(11_000);
});

test("what is read has the labels that the rules give, whatever job it was pushed under", async () => {
  const { job, ...pushed } = measured;
  const address = await server((question) => {
    if (question.path.endsWith("/query")) {
      expect(question.get("query")).toMatch(/^max by \(__name__, .*exported_job="k8sfv"\}\)$/);
      const metric = { __name__: "k8sfv_test_result", ...pushed };
      return success({ metric, value: [START, "+Inf"] });
    }
    return success({ metric: {}, values: [[START, "1"]] });
  });
  const wanted = { match: 'exported_job="k8sfv"', from: START - DAY, until: START };
  const [run] = await readRuns(openPrometheus(`http://${address}`), wanted, () => undefined);
  expect(run?.metrics.get("k8sfv_test_result")).toEqual([{ labels: { ...pushed, job }, value: Infinity }]);
});

test("a password is sent, and in no message", async () => {
  let sent: string | undefined;
  const address = await server((question) => {
    sent = question.authorization;
    return { status: "error", error: "query processing would load too many samples" };
  }, 422);
  const prometheus = openPrometheus(`http://me:s%3Acret@${address}/prometheus/`);
  expect(prometheus.url).toBe(`http://${address}/prometheus`);
  await expect(prometheus.query("up", 0)).rejects.toThrow(
    new Error(`http://${address}/prometheus answered 422: query processing would load too many samples`),
  );
  expect(sent).toBe(`Basic ${Buffer.from("me:s:cret").toString("base64")}`);
  for (const wrong of ["me:s:cret@example.org", "ftp://me:s%3Acret@example.org", "nothing"]) {
    expect(() => openPrometheus(wrong)).toThrow(
      new Error("Prometheus's address has to be like http://127.0.0.1:9090"),
    );
  }
});

test("what isn't Prometheus, or isn't there, is named", async () => {
  const address = await server(() => "<html>Sign in\n…", 200);
  await expect(openPrometheus(`http://${address}`).query("up", 0)).rejects.toThrow(
    `http://${address} answered 200: <html>Sign in`,
  );
  await expect(openPrometheus("http://me:secret@127.0.0.1:1").query("up", 0)).rejects.toThrow(
    "http://127.0.0.1:1 does not answer: ",
  );
});

test("the command's arguments: five years until now, or what is said", () => {
  const now = Date.parse("2026-11-20T12:00:00.5Z");
  const [from, until] = [Date.parse("2021-11-21T12:00Z") / 1000, Math.floor(now / 1000)];
  expect(readArguments(["http://a"], now)).toEqual({ url: "http://a", match: 'job="k8sfv"', from, until });
  const said = ["--from", "2026-01-01", "--until", "2026-02-01T01:30:00+01:00", "--match", 'job="x"'];
  expect(readArguments(["http://a", ...said])).toMatchObject({
    match: 'job="x"',
    from: Date.parse("2026-01-01") / 1000,
    until: Date.parse("2026-02-01T00:30Z") / 1000,
  });
});

test.each([
  [[], "Say which Prometheus: npm run --silent backfill -- URL"],
  [["http://a", "http://b"], "Say which Prometheus"],
  [["http://a", "--since", "2026-11-20"], "Say which Prometheus"],
  [["http://a", "--from", "yesterday"], "--from yesterday is no date like 2026-11-20"],
  [["http://a", "--until", "2026-13-20"], "--until 2026-13-20 is no date like 2026-11-20"],
  [["http://a", "--from", "2026-11-20", "--until", "2026-11-20"], "--from 2026-11-20 has to be before"],
])("wrong arguments: %j", (args, words) => {
  expect(() => readArguments(args)).toThrow(words);
});

test("no run at all: the command says what it asked, whom, and what to try", async () => {
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
