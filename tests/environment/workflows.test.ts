import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { root } from "../pages.ts";

/** The latest version in November 2026. */
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

// Checks the project's GitHub workflows with actionlint: expressions, contexts and inputs of actions. Does not prove
// that they run on GitHub, nor that Google accepts their credentials. tests/unit/workflows.test.ts tests their scripts.

/** Directory with a copy of the workflows. */
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "k8sfv-workflows-"));
  await cp(path.join(root, ".github"), path.join(dir, ".github"), { recursive: true });
  // actionlint finds the project's directory by `.git`.
  await mkdir(path.join(dir, ".git"));
  for (const file of await files()) {
    // actionlint knows an action's inputs only by its tag.
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

it("actionlint reports no problems", async () => {
  const { exitCode, stdout } = await lint();
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

it.each([
  ["pull-request.yaml", "node-version: ", "node-versoin: "],
  ["pull-request.yaml", "steps.preview.outputs.comment", "steps.preview.outputs.coment"],
  ["nightly.yaml", "retention-days: ", "retention-day: "],
  ["apply-stack.yaml", "account: ${{ vars.GCP_PREVIEW_ACCOUNT }}", "acount: ${{ vars.GCP_PREVIEW_ACCOUNT }}"],
])("actionlint reports a problem in %s if %s is replaced by %s", async (file, right, wrong) => {
  const whole = path.join(dir, ".github/workflows", file);
  const text = await readFile(whole, "utf8");
  expect(text).toContain(right);
  await writeFile(whole, text.replace(right, wrong));
  const { exitCode } = await lint();
  await writeFile(whole, text);
  expect(exitCode).toBe(1);
});
