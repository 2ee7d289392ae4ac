import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCloud, removeCloud } from "../../local/cluster/index.ts";
import { findEngineProcesses } from "../../local/cluster/processes.ts";
import { openEngine } from "../../local/environment.ts";
import { blocks, commands, pages, root } from "../pages.ts";

const CLOUD = "pages";
/** For what builds and pulls nothing and yet takes minutes on a busy machine, in ms. */
const LONG = 1_200_000;

/** Commands that are run elsewhere. */
const ELSEWHERE: Record<string, string> = {
  "npm start": "the first test here",
  "npm stop": "the last test here",
  "npm test": "it is what runs this",
  "npm run check": "npm test runs it first",
  "npx vitest run --config vitest.environment.config.ts --mode long rules": "a test like this one",
  "npm run bench": "takes a quarter of an hour and a calm machine",
  "npm run docs": "tests/unit/configuration-page.test.ts compares what it writes",
  "npm run pictures": "it writes the pictures again; tests/environment/browser.test.ts opens the same pages",
};

/**
 * Every command of README and docs, on a cloud of its own, as a new user would run them. Blocks that need
 * Google's cloud (```sh cloud) are only read by a shell (tests/unit/pages.test.ts).
 */
describe("the pages for people", () => {
  const run = (command: string) =>
    execa("bash", ["-c", command], { cwd: root, env: { K8SFV_CLOUD: CLOUD }, all: true, stdin: "ignore" });

  beforeAll(() => removeCloud(openCloud(CLOUD)));
  afterAll(() => removeCloud(openCloud(CLOUD)));

  // The first moment is one of the engine's at Google, the second one in the cluster.
  it.each([/gcp:container:Cluster \S+ creating/, /Deployment grafana-deployment creating/])(
    "npm start: Ctrl-C at %s leaves what the next one takes up",
    async (moment) => {
      const options = { cwd: root, env: { K8SFV_CLOUD: CLOUD }, reject: false, stdin: "ignore" } as const;
      // A group of its own, as a terminal gives it: Ctrl-C goes to all of it.
      const start = execa("npm", ["start"], { ...options, all: true, detached: true });
      let said = "";
      start.all.on("data", (chunk: Buffer) => {
        const before = moment.test(said);
        said += chunk.toString();
        if (!before && moment.test(said)) process.kill(-(start.pid ?? 0), "SIGINT");
      });
      const { exitCode } = await start;
      expect(said).toMatch(moment);
      expect(said).toContain('"npm start" continues from here');
      expect(exitCode).not.toBe(0);
      // The cloud's machines go on; the engine is gone.
      const left = await findEngineProcesses(openCloud(CLOUD));
      expect(left.filter(({ argv }) => argv[0]?.endsWith("/pulumi"))).toEqual([]);
    },
    LONG,
  );

  it(
    "npm start: to a first number pushed and read",
    async () => {
      const started = Date.now();
      const { all } = await run("npm start");
      expect(all).toMatch(/Read through Grafana +\d+/);
      console.log(
        `npm start, after the two that were stopped: ${Math.round((Date.now() - started) / 1000)} s`,
      );
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

  it("the passwords: Grafana's is rotated as docs/operations.md says", async () => {
    const cloud = openCloud(CLOUD);
    const operations = pages().filter(({ file }) => file === "docs/operations.md");
    const block = operations.flatMap(blocks).find(({ text }) => text.includes("reset-admin-password"));
    const { env, pulumi } = openEngine(cloud);
    const password = () => pulumi(["stack", "output", "GRAFANA_PASSWORD", "--show-secrets"]);
    const before = await password();
    await execa(
      "bash",
      ["-e", "-o", "pipefail", "-c", (block?.text ?? "").replaceAll("calico-test", "local")],
      {
        cwd: root,
        env: { ...env, KUBECONFIG: cloud.adminKubeconfig, PULUMI_SKIP_CONFIRMATIONS: "true" },
        stdin: "ignore",
      },
    );
    expect(await password()).not.toBe(before);
  });

  it("npm stop: all of it is gone", async () => {
    const { all } = await run("npm stop");
    expect(all).toContain(`Removed local cloud "${CLOUD}"`);
  });
});
