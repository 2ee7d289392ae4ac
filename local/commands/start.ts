// npm start: the whole environment on this machine. Again on a running one it is an `up` that changes nothing.
// With --official-images the images of versions.ts are pulled from their registries and run, not built here.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { forwardThoseThere, type FoundAddresses } from "../forwards.ts";
import { openCloud, assertEngineIdle, resumeCloud, type Cloud } from "../cluster/index.ts";
import { runsOfficialImages } from "../images/index.ts";
import { openLocalEnvironment } from "../prepare.ts";
import { bringUp, initStack, stackOutputs } from "../environment.ts";
import { readBack, runSample, type SampleResult } from "../sample.ts";
import { cloudName, runCommand, step, untilItEnds } from "./terminal.ts";

/** Installs what only official images need. */
const bootstrap = fileURLToPath(new URL("../bootstrap.mjs", import.meta.url));

await runCommand(async () => {
  const started = Date.now();
  const { values } = parseArgs({ options: { "official-images": { type: "boolean", default: false } } });
  if (values["official-images"]) process.env.K8SFV_OFFICIAL_IMAGES = "true";
  if (runsOfficialImages()) await execa("node", [bootstrap, "--official-images"], { stdio: "inherit" });
  await assertEngineIdle(openCloud(cloudName()));
  const { cloud, engine } = await openLocalEnvironment(cloudName());
  await step("Looking after the local cloud", () => resumeCloud(cloud));
  await initStack(cloud, engine);
  step("pulumi up");
  await untilItEnds((stopped) => bringUp(engine, { show: true, stopped }));
  const outputs = await stackOutputs(engine);
  const addresses = await forwardThoseThere(cloud, outputs);
  const pushed =
    addresses.pushGateway === undefined ? undefined : await tryOut(cloud, outputs, addresses.grafana);
  printSummary(outputs, addresses, pushed, Date.now() - started);
});

/** What a run pushed, and what Grafana has of it. */
interface Pushed {
  sample: SampleResult;
  found: number;
}

async function tryOut(cloud: Cloud, outputs: Record<string, unknown>, grafana: string): Promise<Pushed> {
  const sample = await step("A run on the CI machine pushes its metrics to PROMPG_URL", () =>
    runSample(cloud, outputs),
  );
  const found = await step("Grafana is asked for the same number, until Prometheus has scraped it", () =>
    readBack(grafana, outputs, sample),
  );
  return { sample, found };
}

function printSummary(
  outputs: Record<string, unknown>,
  { grafana, prometheus, alertmanager, pushGateway }: FoundAddresses,
  pushed: Pushed | undefined,
  elapsedMs: number,
): void {
  const shown = ["PROMPG_URL", "PROMPG_URL_IN_CLUSTER", "PROMETHEUS_URL", "GRAFANA_URL", "GRAFANA_USER"];
  const lines = [
    "",
    `The environment is up, after ${Math.round(elapsedMs / 1000)} s.`,
    "",
    "Outputs of the stack (addresses inside its VPC):",
    ...shown
      .filter((name) => outputs[name] !== undefined)
      .map((name) => `  ${name.padEnd(22)} ${String(outputs[name])}`),
    `  ${"GRAFANA_PASSWORD".padEnd(22)} [secret]  npm run --silent pulumi -- stack output GRAFANA_PASSWORD --show-secrets`,
    "",
    "From this machine:",
    `  Push gateway           ${pushGateway ?? "(takes no pushes from the VPC: pushGateway.exposure; no run was tried)"}`,
    `  Prometheus             ${prometheus}`,
    `  Alertmanager           ${alertmanager}   (alerts: GET /api/v2/alerts; silences: /api/v2/silences)`,
    `  Grafana                ${grafana}   (a stand-in for Grafana: local/grafana/README.md)`,
    "",
    ...(pushed === undefined ? [] : resultLines(pushed)),
    "Try next:",
    ...(pushGateway === undefined ? [] : pushLines(pushGateway)),
    "  To look inside  npm run --silent kubectl -- get pods --all-namespaces",
    "",
    "npm stop ends it and removes everything it made.",
  ];
  console.log(lines.join("\n"));
}

function resultLines({ sample, found }: Pushed): string[] {
  return [
    `  Pushed by the run      ${sample.occupancyMeanBytes}   (k8sfv_occupancy_mean_bytes of "${sample.occupancyTest}")`,
    `  Read through Grafana   ${found}`,
    "",
  ];
}

function pushLines(pushGateway: string): string[] {
  return [
    "  As CI      npm run ci-machine -- sample-run",
    `  As a person  curl --silent ${pushGateway}/metrics | grep k8sfv_test_result`,
  ];
}
