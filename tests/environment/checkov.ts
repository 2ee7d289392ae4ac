import { access, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { defaultCacheDir } from "../../packages/local-cloud/toolchain/cache.ts";

/** Of the Python package index. */
const VERSION = "3.2.495";
/** Python's virtual environments can't be moved, so it is used as a folder of modules. */
const PROGRAM = "import sys; from checkov.main import Checkov; sys.exit(Checkov(argv=sys.argv[1:]).run())";

/** A check that failed, and on what: "KIND.NAMESPACE.NAME". */
export interface Finding {
  check_id: string;
  check_name: string;
  resource: string;
}

/**
 * What checkov finds wrong with objects of the Kubernetes API. It is installed at the first call, outside the
 * checkout; it asks nobody outside.
 *
 * @throws Error when it doesn't know some of what it is given, or there is no Python
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
      reject: false, // its status says whether it found anything
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

/** Checks that are not met, on what, and why that is right. */
export const ACCEPTED: { check: string; on: RegExp; why: string }[] = [
  {
    check: "CKV_K8S_11",
    on: /./,
    why: "no CPU limits: they would slow a pod down on a node that has nothing else to do; requests share it fairly",
  },
  {
    check: "CKV_K8S_43",
    on: /./,
    why: "an exact tag instead of a digest: readable, and `images` takes digests of a registry of one's own",
  },
  {
    check: "CKV_K8S_15",
    on: /./,
    why: "an exact tag is not pulled anew: a pod starts again also when the registry is away",
  },
  {
    check: "CKV_K8S_40",
    on: /\.grafana/,
    why: "the image's own user, 472, whose folders they are",
  },
  {
    check: "CKV_K8S_40",
    on: /prometheus-k8sfv/,
    why: "user 1000, as the operator's project runs it; changing it would change the owner of five years of files",
  },
  {
    check: "CKV_K8S_38",
    on: /prometheus/,
    why: "the operator and Prometheus work by asking the API",
  },
  {
    check: "CKV_K8S_35",
    on: /\.(grafana|prom-gateway)/,
    why: "read once, at the start; and a process's environment is no easier to read than a file of the same user",
  },
  {
    check: "CKV_K8S_41",
    on: /^ServiceAccount\.monitoring\.default$/,
    why: "made by Kubernetes; it has no rights, and no pod here mounts its token",
  },
];

/** Findings that nobody has accepted, a line each. */
export function unexplained(findings: Finding[]): string[] {
  return findings
    .filter(
      ({ check_id, resource }) => !ACCEPTED.some(({ check, on }) => check === check_id && on.test(resource)),
    )
    .map(({ check_id, check_name, resource }) => `${resource}: ${check_id}, ${check_name}`);
}
