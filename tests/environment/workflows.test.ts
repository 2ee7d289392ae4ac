import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../pages.ts";

/** The newest in November 2026. */
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/**
 * GitHub's workflows as actionlint judges them: expressions, contexts, and what the actions take. Not proved: that they
 * run at GitHub, nor that Google lets them in. The scripts in them: tests/unit/workflows.test.ts.
 */
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-workflows-"));
  await cp(path.join(root, ".github"), path.join(dir, ".github"), { recursive: true });
  // By this it knows the project's folder.
  await mkdir(path.join(dir, ".git"));
  for (const file of await files()) {
    // It knows what an action takes by its tag alone.
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replaceAll(/@[0-9a-f]{40} # (v\d+).*/g, "@$1"));
  }
});
afterAll(() => rm(dir, { recursive: true }));

async function files(): Promise<string[]> {
  const found = await readdir(path.join(dir, ".github"), { recursive: true });
  return found.filter((file) => file.endsWith(".yaml")).map((file) => path.join(dir, ".github", file));
}

const lint = () =>
  execa("go", ["run", ACTIONLINT, "-shellcheck=", "-pyflakes="], {
    cwd: dir,
    reject: false,
    stdin: "ignore",
  });

it("actionlint finds nothing", async () => {
  const { exitCode, stdout } = await lint();
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

it.each([
  ["pull-request.yaml", "node-version: ", "node-versoin: "],
  ["pull-request.yaml", "steps.preview.outputs.comment", "steps.preview.outputs.coment"],
  ["nightly.yaml", "retention-days: ", "retention-day: "],
  ["apply-stack.yaml", "account: ${{ vars.GCP_PREVIEW_ACCOUNT }}", "acount: ${{ vars.GCP_PREVIEW_ACCOUNT }}"],
])("and in %s it would: %s as %s", async (file, right, wrong) => {
  const whole = path.join(dir, ".github/workflows", file);
  const text = await readFile(whole, "utf8");
  expect(text).toContain(right);
  await writeFile(whole, text.replace(right, wrong));
  const { exitCode } = await lint();
  await writeFile(whole, text);
  expect(exitCode).toBe(1);
});
