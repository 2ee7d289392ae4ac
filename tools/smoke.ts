// npm run smoke -- STACK [--direct]: does a stack do its job? Pushes a marked sample, and follows it to Grafana; looks for
// the alert that always fires in Alertmanager.
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { ExecaError, execa } from "execa";
import { checkConnected, seeWatchdog } from "./smoke/alerts.ts";
import type { Part, Target } from "./smoke/parts.ts";
import { targetOf } from "./smoke/parts.ts";
import { newMark, push, readThroughGrafana, remove, seeScraped } from "./smoke/path.ts";
import { Report } from "./smoke/report.ts";
import type { OpenWay, Way } from "./smoke/ways.ts";
import { openDirectly, throughKubernetes } from "./smoke/ways.ts";

const USAGE =
  "Say which stack: npm run smoke -- STACK (from anywhere, through the Kubernetes API), " +
  "or npm run smoke -- STACK --direct (from a machine in the VPC)";
/** The stack of the local clouds; K8SFV_CLOUD says which of them. */
const LOCAL = "local";

type Outputs = Record<string, unknown>;

process.exitCode = await main().catch((error: unknown) => {
  console.error(`smoke: ${said(error)}`);
  return 1;
});

async function main(): Promise<number> {
  const { stack, direct } = readArguments();
  const outputs = await stackOutputs(stack);
  const target = targetOf(outputs);
  const report = new Report((line) => {
    console.log(line);
  });
  console.log(`smoke: ${stack}, ${direct ? "directly" : "through the Kubernetes API"}`);
  const ways = await openWays(report, target, direct ? openDirectly : await throughKubernetes(target));
  const stop = new AbortController();
  // Not once(): execa's own listener ends this process when nobody else listens any more.
  process.on("SIGINT", () => {
    stop.abort(new Error("stopped by Ctrl-C"));
  });
  await followSample(report, ways, outputs, stop.signal);
  await followAlert(report, ways, stop.signal);
  for (const way of Object.values(ways)) way?.close();
  console.log(report.failures > 0 ? "smoke: broken" : "smoke: all is well");
  return report.failures > 0 ? 1 : 0;
}

function readArguments(): { stack: string; direct: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { direct: { type: "boolean", default: false } },
    });
    const [stack, ...more] = positionals;
    if (stack !== undefined && more.length === 0) return { stack, direct: values.direct };
  } catch {
    // An unknown option: the usage says which there are.
  }
  throw new Error(USAGE);
}

/** Secrets in the clear; they stay in this process. */
async function stackOutputs(stack: string): Promise<Outputs> {
  if (stack === LOCAL) {
    const { openCloud } = await import("../local/cluster/cloud.ts");
    const { openEngine } = await import("../local/environment.ts");
    const engine = openEngine(openCloud(process.env.K8SFV_CLOUD ?? "local"));
    // For what reads the kubeconfig, too: the cloud's own gke-gcloud-auth-plugin.
    Object.assign(process.env, engine.env);
  }
  const args = ["stack", "output", "--json", "--show-secrets", "--stack", stack];
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = await execa("pulumi", args, { cwd, stdin: "ignore" });
  return JSON.parse(stdout) as Outputs;
}

/** Ways to the workloads; undefined for those that don't answer. */
type FoundWays = Record<"gateway" | "prometheus" | "grafana" | "alertmanager", Way | undefined>;

/** Connects to each workload, so that everything that is broken is named at once. */
async function openWays(report: Report, target: Target, open: OpenWay): Promise<FoundWays> {
  const reach = (part: Part): Promise<Way | undefined> =>
    report.step(part.title, `${part.title} answers`, async () => {
      const way = await open(part);
      const answer = await way.ask(part.readyPath);
      if (answer.ok) return way;
      way.close();
      const first = answer.text.trim().split("\n")[0] ?? "";
      throw new Error(`it answers ${part.readyPath} with ${answer.status}: ${first}`);
    });
  return {
    gateway: await reach(target.gateway),
    prometheus: await reach(target.prometheus),
    grafana: await reach(target.grafana),
    alertmanager: await reach(target.alertmanager),
  };
}

/** Follows a sample from the gateway to Grafana. What was pushed is deleted, also after Ctrl-C. */
async function followSample(
  report: Report,
  { gateway, prometheus, grafana }: FoundWays,
  outputs: Outputs,
  stopped: AbortSignal,
): Promise<void> {
  if (gateway === undefined || prometheus === undefined || grafana === undefined) return;
  const ways = { gateway, prometheus, grafana };
  const mark = newMark();
  const failures = report.failures;
  await report.step("push gateway", "the push gateway takes a marked sample", () => push(ways, mark));
  if (report.failures > failures) return;
  await report.step("Prometheus", "Prometheus scrapes it", () => seeScraped(ways, mark, stopped));
  if (report.failures === failures) {
    await report.step("Grafana", "Grafana's data source my-prom shows it", () =>
      readThroughGrafana(ways, outputs, mark),
    );
  }
  await report.step("push gateway", "the push gateway deletes it", () => remove(ways));
}

/** Follows the alert that always fires from Prometheus to Alertmanager. */
async function followAlert(
  report: Report,
  { prometheus, alertmanager }: FoundWays,
  stopped: AbortSignal,
): Promise<void> {
  if (prometheus === undefined) return;
  const failures = report.failures;
  await report.step("Prometheus", "Prometheus sends alerts to Alertmanager", () =>
    checkConnected(prometheus),
  );
  if (report.failures > failures || alertmanager === undefined) return;
  await report.step("Alertmanager", "Alertmanager has the alert Watchdog, which always fires", () =>
    seeWatchdog({ prometheus, alertmanager }, stopped),
  );
}

/** An error without what the engine printed to its standard output: the secrets. */
function said(error: unknown): string {
  if (error instanceof ExecaError) {
    const { code, stderr, shortMessage } = error as ExecaError<{ stderr: "pipe" }>;
    if (code === "ENOENT") return 'no "pulumi" on PATH: install it (https://pulumi.com/docs/install)';
    return stderr.trim() === "" ? shortMessage : stderr.trim();
  }
  return error instanceof Error ? error.message : String(error);
}
