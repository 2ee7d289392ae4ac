// npm run smoke -- STACK [--direct]: end-to-end test of a stack, through the Kubernetes API or, with --direct, at the
// addresses in the VPC. Pushes a unique sample and reads it through Grafana, and checks that Alertmanager receives the
// alert that always fires.
import { ExecaError, execa } from "execa";
import { checkConnected, waitForWatchdog } from "./smoke/alerts.ts";
import { readCommandLine } from "../lib/command-line.ts";
import type { Component, Target } from "./smoke/components.ts";
import { targetOf } from "./smoke/components.ts";
import { queryGrafana } from "../lib/grafana.ts";
import { longTermStore, waitForStore } from "./smoke/long-term.ts";
import type { Connections } from "./smoke/sample.ts";
import {
  newSampleValue,
  push,
  readThroughGrafana,
  remove,
  SAMPLE_QUERY,
  waitForScrape,
} from "./smoke/sample.ts";
import { Report } from "./smoke/report.ts";
import { LOCAL_STACK, PROJECT_DIR } from "./stacks.ts";
import type { Connect, Connection } from "./smoke/connections.ts";
import { connectDirectly, connectThroughKubernetes } from "./smoke/connections.ts";

type Outputs = Record<string, unknown>;

const {
  values: { direct },
  positionals: [stack = ""],
} = readCommandLine({
  usage: `npm run smoke -- STACK [--direct]
  --direct  connect to the addresses in the VPC; by default it connects through the Kubernetes API, from anywhere`,
  options: { direct: { type: "boolean", default: false } },
  positionals: [1, 1],
});

process.exitCode = await main().catch((error: unknown) => {
  console.error(`smoke: ${describeError(error)}`);
  return 1;
});

async function main(): Promise<number> {
  const outputs = await stackOutputs();
  const target = targetOf(outputs);
  const report = new Report((line) => {
    console.log(line);
  });
  console.log(`smoke: ${stack}, ${direct ? "directly" : "through the Kubernetes API"}`);
  const connections = await connectAll(
    report,
    target,
    direct ? connectDirectly : await connectThroughKubernetes(target),
  );
  const stop = new AbortController();
  // Not `once`: a second Ctrl-C would then end the process before the sample is deleted.
  process.on("SIGINT", () => {
    stop.abort(new Error("stopped by Ctrl-C"));
  });
  await followSample(report, connections, target, outputs, stop.signal);
  await followAlert(report, connections, stop.signal);
  for (const connection of Object.values(connections)) connection?.close();
  console.log(report.failures > 0 ? "smoke: broken" : "smoke: all is well");
  return report.failures > 0 ? 1 : 0;
}

/** Returns the stack's outputs with secrets in plain text, which stay in this process. */
async function stackOutputs(): Promise<Outputs> {
  if (stack === LOCAL_STACK) {
    // Sets the environment variables of the local cloud, including PATH, because the kubeconfig needs the cloud's own
    // gke-gcloud-auth-plugin.
    const { stdout } = await execa("npm", ["run", "--silent", "local-cloud:env"], { cwd: PROJECT_DIR });
    Object.assign(process.env, JSON.parse(stdout));
  }
  const args = ["stack", "output", "--json", "--show-secrets", "--stack", stack];
  const { stdout } = await execa("pulumi", args, { cwd: PROJECT_DIR, stdin: "ignore" });
  return JSON.parse(stdout) as Outputs;
}

/** Connections to the workloads; undefined for those that don't respond. */
type FoundConnections = Record<"gateway" | "prometheus" | "grafana" | "alertmanager", Connection | undefined>;

/** Connects to all workloads, so that one run reports the problems of all of them. */
async function connectAll(report: Report, target: Target, open: Connect): Promise<FoundConnections> {
  const reach = (component: Component): Promise<Connection | undefined> =>
    report.step(component.title, `${component.title} responds`, async () => {
      const connection = await open(component);
      const response = await connection.request(component.readyPath);
      if (response.ok) return connection;
      connection.close();
      const first = response.text.trim().split("\n")[0] ?? "";
      throw new Error(`it responds to ${component.readyPath} with ${response.status}: ${first}`);
    });
  return {
    gateway: await reach(target.gateway),
    prometheus: await reach(target.prometheus),
    grafana: await reach(target.grafana),
    alertmanager: await reach(target.alertmanager),
  };
}

/** Pushes a sample and reads it through Prometheus and Grafana. Deletes it afterwards, even after Ctrl-C. */
async function followSample(
  report: Report,
  { gateway, prometheus, grafana }: FoundConnections,
  target: Target,
  outputs: Outputs,
  stopped: AbortSignal,
): Promise<void> {
  if (gateway === undefined || prometheus === undefined || grafana === undefined) return;
  const connections = { gateway, prometheus, grafana };
  const sampleValue = newSampleValue();
  const failures = report.failures;
  await report.step("Pushgateway", "Pushgateway accepts a unique sample", () =>
    push(connections, sampleValue),
  );
  if (report.failures > failures) return;
  await report.step("Prometheus", "Prometheus scrapes it", () =>
    waitForScrape(connections, sampleValue, stopped),
  );
  if (report.failures === failures)
    await followToGrafana(report, connections, target, outputs, sampleValue, stopped);
  await report.step("Pushgateway", "Pushgateway deletes it", () => remove(connections));
}

/** Reads the sample through Grafana: from Prometheus, or from the long-term store if the stack has one. */
async function followToGrafana(
  report: Report,
  connections: Connections,
  target: Target,
  outputs: Outputs,
  sampleValue: number,
  stopped: AbortSignal,
): Promise<void> {
  const { grafana, prometheus } = connections;
  const source = await report.step("Grafana", "Grafana has the data source my-prom", async () => ({
    store: await longTermStore(grafana, `${target.prometheus.service}.${target.namespace}`),
  }));
  if (source === undefined) return;
  if (source.store === undefined) {
    await report.step("Grafana", "Grafana's data source my-prom returns it", () =>
      readThroughGrafana(connections, outputs, sampleValue),
    );
    return;
  }
  const read = () => queryGrafana(grafana.url, outputs, SAMPLE_QUERY);
  await report.step("Long-term store", `The long-term store ${source.store} returns it through Grafana`, () =>
    waitForStore(prometheus, read, sampleValue, stopped),
  );
}

/** Checks that the alert that always fires gets from Prometheus to Alertmanager. */
async function followAlert(
  report: Report,
  { prometheus, alertmanager }: FoundConnections,
  stopped: AbortSignal,
): Promise<void> {
  if (prometheus === undefined) return;
  const failures = report.failures;
  await report.step("Prometheus", "Prometheus sends alerts to Alertmanager", () =>
    checkConnected(prometheus),
  );
  if (report.failures > failures || alertmanager === undefined) return;
  await report.step("Alertmanager", "Alertmanager has the alert Watchdog, which always fires", () =>
    waitForWatchdog({ prometheus, alertmanager }, stopped),
  );
}

/** Returns an error's message without the engine's standard output, which may contain secrets. */
function describeError(error: unknown): string {
  if (error instanceof ExecaError) {
    const { code, stderr, shortMessage } = error as ExecaError<{ stderr: "pipe" }>;
    if (code === "ENOENT") return 'no "pulumi" on PATH: install it (https://pulumi.com/docs/install)';
    return stderr.trim() === "" ? shortMessage : stderr.trim();
  }
  return error instanceof Error ? error.message : String(error);
}
