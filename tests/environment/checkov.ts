import { access, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { defaultCacheDir } from "k8sfv-local-cloud/toolchain";

/** Version of checkov on the Python Package Index. */
const VERSION = "3.2.495";
/**
 * Python program that runs checkov from a directory of modules. A virtual environment is not possible,
 * because `install` renames the directory.
 */
const PROGRAM = "import sys; from checkov.main import Checkov; sys.exit(Checkov(argv=sys.argv[1:]).run())";

/** A failed check and its object as "KIND.NAMESPACE.NAME". */
export interface Finding {
  check_id: string;
  check_name: string;
  resource: string;
}

/**
 * Returns checkov's findings about Kubernetes objects. Installs checkov at the first call, outside the checkout;
 * checkov itself sends no requests.
 *
 * @throws Error if checkov can't parse an object, or if there is no Python
 */
export async function checkov(objects: object[]): Promise<Finding[]> {
  const modules = await install();
  const dir = await mkdtemp(path.join(tmpdir(), "k8sfv-checkov-"));
  try {
    const list = { apiVersion: "v1", kind: "List", items: objects };
    await writeFile(path.join(dir, "objects.json"), JSON.stringify(list));
    const flags = [
      "--framework",
      "kubernetes",
      "--output",
      "json",
      "--compact",
      "--quiet",
      "--skip-download",
    ];
    const { stdout } = await execa("python3", ["-c", PROGRAM, "--directory", dir, ...flags], {
      env: { PYTHONPATH: modules },
      reject: false, // the exit code is 1 if there are findings
    });
    const { summary, results } = JSON.parse(stdout) as {
      summary: { passed: number; parsing_errors: number };
      results: { failed_checks: Finding[] };
    };
    if (summary.passed === 0 || summary.parsing_errors > 0) throw new Error(`checkov: ${stdout}`);
    return results.failed_checks;
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function install(): Promise<string> {
  const modules = path.join(path.dirname(defaultCacheDir()), `checkov-${VERSION}`);
  const there = await access(modules).then(
    () => true,
    () => false,
  );
  if (there) return modules;
  const temporary = `${modules}.${process.pid}`;
  await execa("python3", ["-m", "pip", "install", "--quiet", "--target", temporary, `checkov==${VERSION}`]);
  await rename(temporary, modules);
  return modules;
}

/** Accepted findings with the reason. */
export const ACCEPTED: { check: string; on: RegExp; why: string }[] = [
  {
    check: "CKV_K8S_11",
    on: /./,
    why: "CPU limits would slow a pod down on an idle node; requests share the CPU fairly",
  },
  {
    check: "CKV_K8S_43",
    on: /./,
    why: "an exact tag is readable, and the configuration key `images` accepts digests",
  },
  {
    check: "CKV_K8S_15",
    on: /./,
    why: "an exact tag needs no new pull, so a pod restarts even if the registry is down",
  },
  {
    check: "CKV_K8S_40",
    on: /\.grafana/,
    why: "the image's own user, 472, which owns its directories",
  },
  {
    check: "CKV_K8S_40",
    on: /(prometheus|alertmanager)-k8sfv/,
    why: "user 1000, the upstream default; changing it would change the owner of the files on their disks",
  },
  {
    check: "CKV_K8S_38",
    on: /prometheus/,
    why: "the operator and Prometheus use the Kubernetes API",
  },
  {
    check: "CKV_K8S_35",
    on: /\.(grafana|prom-gateway)/,
    why: "the programs read these secrets only at their start; an environment is as protected as a file of the same user",
  },
  {
    check: "CKV_K8S_41",
    on: /^ServiceAccount\.monitoring\.default$/,
    why: "created by Kubernetes; it has no permissions, and no pod mounts its token",
  },
];

/** Returns the findings that are not in ACCEPTED, one line of text each. */
export function unexplained(findings: Finding[]): string[] {
  return findings
    .filter(
      ({ check_id, resource }) => !ACCEPTED.some(({ check, on }) => check === check_id && on.test(resource)),
    )
    .map(({ check_id, check_name, resource }) => `${resource}: ${check_id}, ${check_name}`);
}
