import { execFileSync, spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { cloudStacks } from "../../tools/stacks.ts";
import { images } from "../../versions.ts";
import { checkShellSyntax, root } from "../pages.ts";

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  concurrency: Record<string, unknown>;
  jobs: Record<
    string,
    {
      if?: string;
      needs?: string;
      environment?: string;
      permissions: Record<string, string>;
      uses?: string;
      with?: Record<string, string>;
      strategy?: { matrix: Record<string, unknown> };
      steps?: Step[];
    }
  >;
}

const dir = path.join(root, ".github");
const all = readdirSync(dir, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => ({ file, text: readFileSync(path.join(dir, file), "utf8") }));
const workflows = all
  .filter(({ file }) => file.startsWith("workflows/"))
  .map(({ file, text }) => ({ file, workflow: parse(text) as Workflow }));
const actions = all
  .filter(({ file }) => file.startsWith("actions/"))
  .map(({ file, text }) => ({ file, steps: (parse(text) as { runs: { steps: Step[] } }).runs.steps }));
/** Steps of all workflows and actions by file. */
const steps = [
  ...actions,
  ...workflows.map(({ file, workflow }) => ({
    file,
    steps: Object.values(workflow.jobs).flatMap((job) => job.steps ?? []),
  })),
];
const { scripts } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: object };

/** Maximum permissions of a job at GitHub: `id-token` is for the login at Google, `pull-requests` for comments. */
const MAX_PERMISSIONS: Record<string, string> = {
  contents: "read",
  "id-token": "write",
  "pull-requests": "write",
};

test.each(steps)("$file uses only pinned actions", ({ file, steps }) => {
  const text = all.find((one) => one.file === file)?.text ?? "";
  for (const { uses } of steps) {
    if (uses === undefined) continue;
    if (uses.startsWith("./")) expect(existsSync(path.join(root, uses, "action.yaml")), uses).toBe(true);
    else
      expect(text).toMatch(new RegExp(`uses: ${uses.split("@")[0]}@[0-9a-f]{40} # v\\d+\\.\\d+\\.\\d+\\n`));
  }
});

test("the workflows use the same Pulumi version as the local cloud", () => {
  const module = readFileSync(
    path.join(root, "packages/local-cloud/toolchain/modules/pulumi/go.mod"),
    "utf8",
  );
  const tested = /\sgithub\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/.exec(module)?.[1];
  expect(renovated("actions/pulumi/action.yaml")).toEqual([`github.com/pulumi/pulumi/pkg/v3:${tested}`]);
});

test.each(all)("$file contains no keys and prints no secrets", ({ text }) => {
  expect(text).not.toMatch(/secrets\.|credentials_json|show-secrets|set -x|pull_request_target/);
});

test.each(workflows)("$file has minimal permissions", ({ workflow }) => {
  expect(workflow.permissions).toEqual({});
  for (const [name, { permissions, steps = [], if: condition }] of Object.entries(workflow.jobs)) {
    expect(MAX_PERMISSIONS, name).toMatchObject(permissions);
    // Code of forks and bots must not run with credentials, because nobody has reviewed it.
    if ("pull_request" in workflow.on && "id-token" in permissions) {
      expect(condition).toContain("head.repo.full_name == github.repository");
      expect(condition).toContain("user.type != 'Bot'");
    }
    for (const { uses = "", with: given } of steps.filter(({ uses }) => uses?.includes("checkout"))) {
      expect(given, uses).toMatchObject({ "persist-credentials": false });
    }
  }
});

test.each(steps)("$file runs existing scripts and no text of a pull request", ({ steps }) => {
  checkShellSyntax(steps.map(({ run = "" }) => run));
  for (const { run = "" } of steps) {
    expect(run).not.toContain("${{");
    for (const [, script = ""] of run.matchAll(/npm run ([a-z:-]+)/g)) expect(scripts).toHaveProperty(script);
    for (const [file] of run.matchAll(/^\.github\S+/gm)) accessSync(path.join(root, file), constants.X_OK);
  }
});

test("the workflows apply only the branch main, after a preview and an approval, and are never cancelled", () => {
  const named = (file: string) => workflows.find((one) => one.file === `workflows/${file}`)?.workflow;
  const apply = named("apply.yaml");
  expect(apply?.on).toEqual({ push: { branches: ["main"] } });
  expect(apply?.jobs.apply).toMatchObject({
    uses: "./.github/workflows/apply-stack.yaml",
    with: { stack: "${{ matrix.stack }}" },
    strategy: { matrix: { stack: "${{ fromJSON(needs.stacks.outputs.names) }}" } },
  });
  const stack = named("apply-stack.yaml");
  expect(Object.keys(stack?.on ?? {})).toEqual(["workflow_call"]);
  expect(stack?.concurrency).toMatchObject({
    group: "apply-${{ inputs.stack }}",
    "cancel-in-progress": false,
  });
  const applying = workflows.flatMap(({ workflow }) =>
    Object.values(workflow.jobs).filter(({ steps = [] }) =>
      steps.some(({ run }) => run?.includes("pulumi up")),
    ),
  );
  expect(applying).toMatchObject([{ environment: "${{ inputs.stack }}", needs: "plan" }]);
  expect(applying[0]).toBe(stack?.jobs.up);
});

test("no workflow, action or script names a stack", () => {
  const scripts = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".sh"),
  );
  const texts = [
    ...all.map(({ text }) => text),
    ...scripts.map((file) => readFileSync(path.join(dir, file), "utf8")),
  ];
  for (const name of cloudStacks()) expect(texts.filter((text) => text.includes(name))).toEqual([]);
});

test("stacks.sh lists the stacks that have a stack file, except the local one", () => {
  const temp = mkdtempSync(path.join(tmpdir(), "k8sfv-stacks-"));
  onTestFinished(() => {
    rmSync(temp, { recursive: true });
  });
  for (const name of ["calico-test", "local", "staging"])
    writeFileSync(path.join(temp, `Pulumi.${name}.yaml`), "");
  writeFileSync(path.join(temp, "Pulumi.yaml"), "");
  const output = path.join(temp, "output");
  const env = { PATH: process.env.PATH ?? "", GITHUB_OUTPUT: output };
  execFileSync(path.join(dir, "actions/stacks/stacks.sh"), { cwd: temp, env });
  expect(readFileSync(output, "utf8")).toBe('names=["calico-test","staging"]\n');
});

test.each([
  ["a first comment", "", "POST repos/o/r/issues/7/comments"],
  ["a later comment", "41", "PATCH repos/o/r/issues/comments/41"],
])(
  "comment.sh creates or updates a stack's only comment on a pull request, which it finds by its heading: %s",
  (_, id, request) => {
    const temp = mkdtempSync(path.join(tmpdir(), "k8sfv-comment-"));
    onTestFinished(() => {
      rmSync(temp, { recursive: true });
    });
    const comment = path.join(temp, "comment.md");
    writeFileSync(comment, "### Preview of `staging`\nnothing\n");
    const gh = `#!/bin/sh\ncase "$*" in *--jq*) echo "$HEADING" >> ${temp}/requests; echo ${id};; *) echo "$3 $4 $6" >> ${temp}/done;; esac\n`;
    writeFileSync(path.join(temp, "gh"), gh, { mode: 0o755 });
    const env = {
      PATH: `${temp}:${process.env.PATH ?? ""}`,
      COMMENT: comment,
      NUMBER: "7",
      GITHUB_REPOSITORY: "o/r",
    };
    execFileSync(path.join(dir, "actions/preview/comment.sh"), { env });
    expect(readFileSync(path.join(temp, "requests"), "utf8")).toBe("### Preview of `staging`\n");
    expect(readFileSync(path.join(temp, "done"), "utf8")).toBe(`${request} body=@${comment}\n`);
  },
);

test("docs/github.md sets exactly the variables of the workflows", () => {
  const wanted = all.flatMap(({ text }) => [...text.matchAll(/vars\.([A-Z_]+)/g)].map(([, name]) => name));
  const page = readFileSync(path.join(root, "docs/github.md"), "utf8");
  const documented = [...page.matchAll(/gh variable set ([A-Z_]+)/g)].map(([, name]) => name);
  expect(new Set(documented)).toEqual(new Set(wanted));
});

test("the cache key of the toolchain contains a hash of its sources and Go's version", () => {
  const key = all.find(({ file }) => file === "actions/toolchain/action.yaml")?.text;
  expect(key).toMatch(/key: toolchain-\$\{\{ steps\.go\.outputs\.go-version \}\}-\$\{\{ hashFiles\(/);
});

test.each([
  ["short", "one line\n", 3],
  ["long", "policies are at the end\n".repeat(20_000), 0],
])(
  "preview.sh writes a comment about a %s preview within GitHub's size limit, and exits with the status of the preview",
  (_, middle, status) => {
    const temp = mkdtempSync(path.join(tmpdir(), "k8sfv-preview-"));
    const text = `first line\n${middle}last line\n`;
    writeFileSync(path.join(temp, "pulumi-output"), text);
    writeFileSync(path.join(temp, "pulumi"), `#!/bin/sh\ncat ${temp}/pulumi-output\nexit ${status}\n`, {
      mode: 0o755,
    });
    const env = {
      PATH: `${temp}:${process.env.PATH ?? ""}`,
      RUNNER_TEMP: temp,
      STACK: "staging",
      GITHUB_STEP_SUMMARY: path.join(temp, "summary"),
      GITHUB_OUTPUT: path.join(temp, "output"),
    };
    const run = spawnSync(path.join(dir, "actions/preview/preview.sh"), { env, encoding: "utf8" });
    expect(run.status).toBe(status);
    expect(run.stdout).toBe(text);
    const output = readFileSync(env.GITHUB_OUTPUT, "utf8");
    const comment = readFileSync(output.replace(/^comment=/, "").trim(), "utf8");
    expect(comment.length).toBeLessThan(65_536);
    expect(comment).toContain("first line\n");
    expect(comment).toContain("last line\n");
    expect(readFileSync(env.GITHUB_STEP_SUMMARY, "utf8")).toBe(comment);
    rmSync(temp, { recursive: true });
  },
);

test("Renovate's expressions find each image of versions.ts, and the operator's version in the stack files", () => {
  const tags = Object.values(images).map((image) => image.replace(/@.*$/, ""));
  expect(renovated("../versions.ts").toSorted()).toEqual(tags.toSorted());
  const version = tags[0]?.split(":")[1];
  for (const name of cloudStacks()) {
    const found = [`prometheus-operator/prometheus-operator:${version}`];
    expect(renovated(`../Pulumi.${name}.yaml`), name).toEqual(found);
  }
});

/** Returns the names and versions that Renovate's expressions find in a file. */
function renovated(file: string): string[] {
  const { customManagers } = JSON.parse(readFileSync(path.join(root, "renovate.json"), "utf8")) as {
    customManagers: { managerFilePatterns: [string]; matchStrings: [string]; depNameTemplate?: string }[];
  };
  const name = path.relative(root, path.join(dir, file));
  const text = readFileSync(path.join(root, name), "utf8");
  return customManagers
    .filter(({ managerFilePatterns: [pattern] }) => new RegExp(pattern.slice(1, -1)).test(name))
    .flatMap(({ matchStrings: [match], depNameTemplate }) =>
      [...text.matchAll(new RegExp(match, "g"))].map(
        ({ groups }) => `${groups?.depName ?? depNameTemplate}:${groups?.currentValue}`,
      ),
    );
}
