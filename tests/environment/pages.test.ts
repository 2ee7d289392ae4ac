import { execa } from "execa";
import { afterAll, describe, expect, it } from "vitest";
import { openCloud, removeCloud } from "../../local/cluster/index.ts";
import { openEngine } from "../../local/environment.ts";
import { blocks, commands, pages, root } from "../pages.ts";

const CLOUD = "pages";

/** Commands that are run elsewhere. */
const ELSEWHERE: Record<string, string> = {
  "npm start": "the first test here",
  "npm stop": "the last test here",
  "npm test": "it is what runs this",
  "npm run check": "npm test runs it first",
  "npm run docs": "tests/unit/configuration-page.test.ts compares what it writes",
  "npm run pictures": "it writes the pictures anew; tests/environment/content.test.ts draws",
};

/**
 * Every command of README and docs, on a cloud of its own, as a new user would run them. Blocks that need
 * Google's cloud (```sh cloud) are only read by a shell (tests/unit/pages.test.ts).
 */
describe("the pages for people", () => {
  const run = (command: string) =>
    execa("bash", ["-c", command], { cwd: root, env: { K8SFV_CLOUD: CLOUD }, all: true, stdin: "ignore" });

  afterAll(() => removeCloud(openCloud(CLOUD)));

  it("npm start: from nothing to a first number pushed and read", async () => {
    await removeCloud(openCloud(CLOUD));
    const started = Date.now();
    const { all } = await run("npm start");
    expect(all).toMatch(/Read through Grafana +\d+/);
    console.log(`npm start, from nothing: ${Math.round((Date.now() - started) / 1000)} s`);
  });

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
    expect(all).toContain(`The local cloud "${CLOUD}" is gone`);
  });
});
