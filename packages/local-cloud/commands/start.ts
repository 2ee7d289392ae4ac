// npm start: starts the whole environment on this computer with `pulumi up`. If the environment already runs, this
// applies changes to it. With --official-images, the command pulls the images of versions.ts from their registries
// instead of building them.
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { readCommandLine } from "../../../lib/command-line.ts";
import { forwardAvailable, type AvailableAddresses } from "../environment/forwards.ts";
import { openCloud, assertEngineIdle, resumeCloud, type Cloud } from "../cluster/index.ts";
import { runsOfficialImages } from "../images/index.ts";
import { openLocalEnvironment } from "../environment/prepare.ts";
import { bringUp, initStack, stackOutputs } from "../environment/engine.ts";
import { readBack, runSample, type SampleResult } from "../clients/sample.ts";
import { cloudName, runCommand, step, withGracefulStop } from "./terminal.ts";

/** Script that installs missing packages: with --official-images, also skopeo, which pulls images from registries. */
const bootstrap = fileURLToPath(new URL("../bootstrap.mjs", import.meta.url));

const { values } = readCommandLine({
  usage: "npm start [-- --official-images]",
  options: { "official-images": { type: "boolean", default: false } },
});

await runCommand(async () => {
  const started = Date.now();
  if (values["official-images"]) process.env.K8SFV_OFFICIAL_IMAGES = "true";
  if (runsOfficialImages()) await execa("node", [bootstrap, "--official-images"], { stdio: "inherit" });
  await assertEngineIdle(openCloud(cloudName()));
  const { cloud, engine } = await openLocalEnvironment(cloudName());
  await step("Checking the local cloud's hosts", () => resumeCloud(cloud));
  await initStack(cloud, engine);
  step("pulumi up");
  await withGracefulStop((stopped) => bringUp(engine, { show: true, stopped }));
  const outputs = await stackOutputs(engine);
  const addresses = await forwardAvailable(cloud, outputs);
  const pushed =
    addresses.pushGateway === undefined ? undefined : await checkPush(cloud, outputs, addresses.grafana);
  printSummary(outputs, addresses, pushed, Date.now() - started);
});

/** A pushed sample run and the value that Grafana returned for it. */
interface PushCheck {
  sample: SampleResult;
  found: number;
}

async function checkPush(
  cloud: Cloud,
  outputs: Record<string, unknown>,
  grafana: string,
): Promise<PushCheck> {
  const sample = await step("Pushing the metrics of a sample run from the CI host to PROMPG_URL", () =>
    runSample(cloud, outputs),
  );
  const found = await step("Reading the pushed value through Grafana, once Prometheus has scraped it", () =>
    readBack(grafana, outputs, sample),
  );
  return { sample, found };
}

function printSummary(
  outputs: Record<string, unknown>,
  { grafana, prometheus, alertmanager, pushGateway }: AvailableAddresses,
  pushed: PushCheck | undefined,
  elapsedMs: number,
): void {
  const shown = ["PROMPG_URL", "PROMPG_URL_IN_CLUSTER", "PROMETHEUS_URL", "GRAFANA_URL", "GRAFANA_USER"];
  const lines = [
    "",
    `The environment is ready after ${Math.round(elapsedMs / 1000)} s.`,
    "",
    "Stack outputs (addresses in the VPC):",
    ...shown
      .filter((name) => outputs[name] !== undefined)
      .map((name) => `  ${name.padEnd(22)} ${String(outputs[name])}`),
    `  ${"GRAFANA_PASSWORD".padEnd(22)} [secret]  npm run --silent pulumi -- stack output GRAFANA_PASSWORD --show-secrets`,
    "",
    "Addresses on this computer:",
    `  Pushgateway            ${pushGateway ?? "(not reachable from the VPC, see pushGateway.exposure; no sample run was pushed)"}`,
    `  Prometheus             ${prometheus}`,
    `  Alertmanager           ${alertmanager}   (alerts: GET /api/v2/alerts; silences: /api/v2/silences)`,
    `  Grafana                ${grafana}   (a stand-in for Grafana: packages/local-cloud/grafana/README.md)`,
    "",
    ...(pushed === undefined ? [] : resultLines(pushed)),
    "Next steps:",
    ...(pushGateway === undefined ? [] : pushLines(pushGateway)),
    "  List the pods           npm run --silent kubectl -- get pods --all-namespaces",
    "",
    '"npm stop" stops the environment and removes everything it created.',
  ];
  console.log(lines.join("\n"));
}

function resultLines({ sample, found }: PushCheck): string[] {
  return [
    `  Pushed by sample run   ${sample.occupancyMeanBytes}   (k8sfv_occupancy_mean_bytes of "${sample.occupancyTest}")`,
    `  Read through Grafana   ${found}`,
    "",
  ];
}

function pushLines(pushGateway: string): string[] {
  return [
    "  Push another sample run npm run ci-machine -- sample-run",
    `  List pushed metrics     curl --silent ${pushGateway}/metrics | grep k8sfv_test_result`,
  ];
}
