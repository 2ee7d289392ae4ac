import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ExecaError } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, openCloud, removeCloud } from "k8sfv-local-cloud";
import { openTestCloud } from "./stack.ts";
import { googlePolicies } from "../../policy/google.ts";
import { ingressPolicies } from "../../policy/ingresses.ts";
import { kubernetesPolicies } from "../../policy/kubernetes.ts";

const projectDir = fileURLToPath(new URL("../..", import.meta.url));
const violatorDir = fileURLToPath(new URL("rule-breaker", import.meta.url));
const pack = ["--policy-pack", path.join(projectDir, "policy")];

/** Expected violations of the program in rule-breaker: rule and resource. */
const broken = [
  ["nodes-are-private", "open-cluster"],
  ["nodes-are-private", "open-pool"],
  ["control-plane-is-closed", "open-cluster"],
  ["nodes-have-their-account", "open-cluster"],
  ["nodes-have-their-account", "pool-without-account"],
  ["nodes-are-shielded", "open-cluster"],
  ["nodes-are-shielded", "open-pool"],
  ["nodes-are-shielded", "pool-without-account"],
  ["node-accounts-are-narrow", "wide-node-role"],
  ["roles-are-narrow", "owner"],
  ["history-is-protected", "lonely-disk"],
  ["history-has-snapshots", "lonely-disk"],
  ["load-balancers-name-their-sources", "open-service"],
  ["ingresses-are-guarded", "open-ingress"],
  ["images-are-exact", "loose-deployment"],
  ["images-are-exact", "loose-prometheus"],
  ["containers-say-what-they-need", "loose-deployment"],
  ["containers-say-what-they-need", "loose-prometheus"],
  ["containers-are-confined", "loose-deployment"],
  ["containers-are-confined", "loose-prometheus"],
] as const;

/** Tests the policy pack with the real engine. The test starts no hosts, because a preview connects to none. */
describe("the policy pack", () => {
  let engine: Engine;
  let dir: string;

  beforeAll(async () => {
    ({ engine } = await openTestCloud("policy-test"));
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-policy-"));
  });

  afterAll(async () => {
    await removeCloud(openCloud("policy-test"));
    await rm(dir, { recursive: true, force: true });
  });

  it("accepts the project's program, with all rules evaluated", async () => {
    const stdout = await engine.pulumi(["preview", ...pack]);
    expect(stdout).toMatch(/✅ k8sfv-metrics@v/);
    // A rule that the preview can't evaluate is printed as an advisory violation, so an empty list proves that all were
    // evaluated.
    expect(violations(stdout)).toEqual([]);
  });

  it("accepts an external Pushgateway, which has a security policy", async () => {
    const changes = {
      exposure: "external",
      auth: "true",
      domain: "push.k8sfv.example",
      sourceRanges: "anywhere",
    };
    const key = (name: string) => ["--path", `k8sfv-metrics:pushGateway.${name}`];
    for (const [name, value] of Object.entries(changes)) {
      await engine.pulumi(["config", "set", ...key(name), value]);
    }
    const stdout = await engine.pulumi(["preview", ...pack]);
    for (const name of Object.keys(changes)) await engine.pulumi(["config", "rm", ...key(name)]);
    expect(stdout).toContain("push-entrance-ingress");
    expect(violations(stdout)).toEqual([]);
  });

  it("requires protected disks of all stacks if throwAwayStacks is empty", async () => {
    const config = path.join(dir, "strict.json");
    await writeFile(config, JSON.stringify({ "history-is-protected": { throwAwayStacks: [] } }));
    const stdout = await refused(["preview", ...pack, "--policy-pack-config", config]);
    expect(violations(stdout).sort()).toEqual([
      "[mandatory] history-is-protected: disks-alertmanager",
      "[mandatory] history-is-protected: disks-grafana",
      "[mandatory] history-is-protected: disks-prometheus",
      "[mandatory] history-is-protected: disks-push-gateway",
    ]);
  });

  it("reports all violations of a program with the resource and the solution", async () => {
    // The engine writes the stack file into the directory where it creates the stack. This must not be the checkout.
    await copyFile(path.join(violatorDir, "Pulumi.yaml"), path.join(dir, "Pulumi.yaml"));
    await engine.pulumi(["stack", "init", "broken"], { cwd: dir });
    const ofViolator = ["--stack", "broken", "--config-file", path.join(dir, "Pulumi.broken.yaml")];
    const stdout = await refused(["preview", ...pack, ...ofViolator], violatorDir);
    expect(violations(stdout).sort()).toEqual(
      broken.map(([rule, resource]) => `[mandatory] ${rule}: ${resource}`).sort(),
    );
    expect(stdout).toContain("Set privateClusterConfig.enablePrivateNodes to true");
    expect(new Set(broken.map(([rule]) => rule))).toEqual(
      new Set([...googlePolicies, ...kubernetesPolicies, ...ingressPolicies].map(({ name }) => name)),
    );
  });

  it("reports why a pack can't be loaded", async () => {
    await writeFile(path.join(dir, "PulumiPolicy.yaml"), "runtime: nodejs\n");
    const error: unknown = await engine
      .pulumi(["preview", "--policy-pack", dir])
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ExecaError);
    expect((error as ExecaError).message).toContain(
      "Cannot find module '@pulumi/pulumi/cmd/run-policy-pack'",
    );
  });

  /** Returns the output of a preview, which must fail. */
  async function refused(args: string[], cwd = projectDir): Promise<string> {
    const refusal: unknown = await engine.pulumi(args, { cwd }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ExecaError);
    return String((refusal as ExecaError).stdout);
  }
});

/** Returns the printed violations as "[LEVEL] RULE: RESOURCE". */
function violations(stdout: string): string[] {
  const found = stdout.matchAll(/- (\[\w+\]) +([\w-]+) +\([^ ]+ ([^ )]+)\)/g);
  return [...found].map(([, level = "", rule = "", resource = ""]) => `${level} ${rule}: ${resource}`);
}
