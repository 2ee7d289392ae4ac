import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCloud, openEngine, removeCloud } from "k8sfv-local-cloud";
import { findEngineProcesses } from "k8sfv-local-cloud/testing";
import { blocks, commands, pages, root } from "../pages.ts";

const CLOUD = "pages";
/** Timeout of steps that neither build nor pull, in ms: on a busy computer they take minutes. */
const LONG = 1_200_000;

/** Documented commands that the loop over all documented commands does not run, with the reason. */
const ELSEWHERE: Record<string, string> = {
  "npm start": "the first tests of this file run it",
  "npm stop": "the last test of this file runs it",
  "npm test": "it runs other environment tests",
  "npm run check": "npm test runs it",
  "npx vitest run --config vitest.environment.config.ts --mode long tests/environment/rules.test.ts":
    "it runs another environment test",
  "npm run bench": "it takes a quarter of an hour and needs an idle computer",
  'npm run generate:google-schema -- schema.json "terraform-provider-google-beta 7.16.0"':
    "it needs the provider's schema, which this repository does not contain",
  "npm run docs": "tests/unit/configuration-page.test.ts compares its result",
  "npx tsx packages/local-cloud/grafana/main.ts server --port 3001 --data /tmp/grafana --prometheus http://127.0.0.1:9090":
    "it runs until it is stopped; tests/environment/browser.test.ts starts the same program",
  "npm run pictures": "it overwrites the pictures; tests/environment/browser.test.ts opens the same pages",
};

/**
 * Runs every command of the documentation on a separate local cloud, in the order of the pages. Blocks that need
 * Google Cloud (```sh cloud) are only parsed by a shell (tests/unit/pages.test.ts).
 */
describe("documented commands", () => {
  const run = (command: string) =>
    execa("bash", ["-c", command], { cwd: root, env: { K8SFV_CLOUD: CLOUD }, all: true, stdin: "ignore" });

  beforeAll(() => removeCloud(openCloud(CLOUD)));
  afterAll(() => removeCloud(openCloud(CLOUD)));

  // The first pattern matches while `pulumi up` creates resources of Google Cloud, the second one while it creates
  // resources in the cluster.
  it.each([/gcp:container:Cluster \S+ creating/, /Deployment grafana-deployment creating/])(
    "npm start can continue after Ctrl-C at %s",
    async (moment) => {
      const options = { cwd: root, env: { K8SFV_CLOUD: CLOUD }, reject: false, stdin: "ignore" } as const;
      // npm gets its own process group, as in a terminal, where Ctrl-C signals the whole group.
      const start = execa("npm", ["start"], { ...options, all: true, detached: true });
      let output = "";
      start.all.on("data", (chunk: Buffer) => {
        const before = moment.test(output);
        output += chunk.toString();
        if (!before && moment.test(output)) process.kill(-(start.pid ?? 0), "SIGINT");
      });
      const { exitCode } = await start;
      expect(output).toMatch(moment);
      expect(output).toContain('"npm start" continues from here');
      expect(exitCode).not.toBe(0);
      // The hosts of the local cloud keep running, but no `pulumi` process does.
      const left = await findEngineProcesses(openCloud(CLOUD));
      expect(left.filter(({ argv }) => argv[0]?.endsWith("/pulumi"))).toEqual([]);
    },
    LONG,
  );

  it(
    "npm start pushes a sample and reads it through Grafana",
    async () => {
      const started = Date.now();
      const { all } = await run("npm start");
      expect(all).toMatch(/Read through Grafana +\d+/);
      console.log(`npm start after two interrupted ones: ${Math.round((Date.now() - started) / 1000)} s`);
    },
    LONG,
  );

  const here = pages()
    .flatMap(blocks)
    .filter(({ cloud }) => !cloud)
    .flatMap((block) => commands(block).map((command) => ({ file: block.file, command })))
    .filter(({ command }) => ELSEWHERE[command] === undefined);

  it.each(here)("$file: $command", async ({ command }) => {
    await run(command);
  });

  it("docs/maintenance.md rotates Grafana's password", async () => {
    const cloud = openCloud(CLOUD);
    const maintenance = pages().filter(({ file }) => file === "docs/maintenance.md");
    const block = maintenance.flatMap(blocks).find(({ text }) => text.includes("reset-admin-password"));
    const { env, pulumi } = openEngine(cloud);
    const password = () => pulumi(["stack", "output", "GRAFANA_PASSWORD", "--show-secrets"]);
    const before = await password();
    const more = { STACK: "local", KUBECONFIG: cloud.adminKubeconfig, PULUMI_SKIP_CONFIRMATIONS: "true" };
    await execa("bash", ["-e", "-u", "-o", "pipefail", "-c", block?.text ?? ""], {
      cwd: root,
      env: { ...env, ...more },
      stdin: "ignore",
    });
    expect(await password()).not.toBe(before);
  });

  it("npm stop removes the local cloud", async () => {
    const { all } = await run("npm stop");
    expect(all).toContain(`Removed local cloud "${CLOUD}"`);
  });
});
