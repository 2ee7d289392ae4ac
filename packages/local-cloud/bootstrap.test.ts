import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  goProblem,
  goWanted,
  installProblem,
  isAtLeast,
  platformProblem,
  missingPackages,
  needsNpm,
  systemPackages,
} from "./bootstrap.mjs";

const machine = { platform: "linux", node: "v20.20.2", uid: 0, command: "npm start" };

test("accepts Linux with Node 20 or newer and root", () => {
  expect(platformProblem(machine)).toBeUndefined();
  expect(platformProblem({ ...machine, node: "v24.0.0" })).toBeUndefined();
});

test.each([
  [{ platform: "darwin" }, /Linux virtual machine/],
  [{ platform: "win32" }, /WSL 2/],
  [{ platform: "freebsd" }, /needs Linux, and this is freebsd/],
  [{ node: "v18.19.1" }, /Node v18\.19\.1 is too old: install Node 20/],
  [{ uid: 1000 }, /needs root: run sudo env "PATH=\$PATH" npm start/],
])("explains in one line what to do for %j", (difference, line) => {
  const problem = platformProblem({ ...machine, ...difference });
  expect(problem).toMatch(line);
  expect(problem).not.toContain("\n");
});

test("compares versions by number", () => {
  expect(isAtLeast("go1.26.10", "1.26.7")).toBe(true);
  expect(isAtLeast("go1.27rc1", "1.26.7")).toBe(true);
  expect(isAtLeast("go1.9", "1.26.7")).toBe(false);
  expect(isAtLeast("v20.0.0", "20")).toBe(true);
});

test("requires the newest Go version of all modules", () => {
  expect(goWanted(["module a\n\ngo 1.24.0\n", "module b\n\ngo 1.26.7\n", "module c\n"])).toBe("1.26.7");
  expect(goProblem("go1.26.8", "1.26.7")).toBeUndefined();
  expect(goProblem("go1.24.1", "1.26.7")).toMatch(/go1\.24\.1 is too old: install Go 1\.26\.7/);
  expect(goProblem(undefined, "1.26.7")).toMatch(/no "go" on PATH: install Go 1\.26\.7/);
});

test("installs only missing packages", () => {
  expect(missingPackages(() => true)).toEqual([]);
  expect(missingPackages((probe) => probe !== "ctr" && probe !== "/usr/lib/cni/ptp")).toEqual([
    "containerd",
    "containernetworking-plugins",
  ]);
  expect(missingPackages(() => false)).toEqual(Object.keys(systemPackages));
});

test.each([
  ["nothing is installed", { installedTime: undefined }, true],
  ["the lock file is newer than the install", { installedTime: 1, lockTime: 2, stamp: "old" }, true],
  ["the lock file is newer and there is no stamp", { installedTime: 1, lockTime: 2 }, true],
  ["an install by hand followed the lock file", { installedTime: 3, lockTime: 2 }, false],
  ["only the lock file's time changed", { installedTime: 1, lockTime: 2, stamp: "same" }, false],
])("decides whether to run npm ci: %s", (_what, found, needed) => {
  expect(needsNpm({ lock: "same", stamp: undefined, lockTime: 2, ...found })).toBe(needed);
});

test.each([
  ["npm error code EAI_AGAIN\nnpm error request failed", /npm ci can't reach its servers/],
  ["E: Failed to fetch x  Temporary failure resolving 'host'", /can't reach its servers/],
  ["npm error code ENOSPC", /disk is full/],
  [
    "npm error code EUSAGE\nnpm error more\nnpm error A complete log of this run",
    /failed: npm error code EUSAGE$/,
  ],
  [
    "Reading package lists...\nE: Unable to locate package runc\n",
    /failed: E: Unable to locate package runc$/,
  ],
  ["", /it printed nothing/],
])("summarizes the installer's output %j in one line", (output, line) => {
  const problem = installProblem("npm ci", output);
  expect(problem).toMatch(line);
  expect(problem).not.toContain("\n");
});

/** Runs bootstrap.mjs in a directory with only these files. */
function bootstrap(files: Record<string, string>, args: string[], options: { uid?: number; path?: string }) {
  const dir = mkdtempSync(path.join(tmpdir(), "k8sfv-bootstrap-"));
  onTestFinished(() => {
    rmSync(dir, { recursive: true });
  });
  const script = path.join(dir, "packages/local-cloud/bootstrap.mjs");
  mkdirSync(path.join(dir, "packages/local-cloud/toolchain/modules"), { recursive: true });
  copyFileSync(new URL("bootstrap.mjs", import.meta.url), script);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
  chmodSync(dir, 0o755);
  const env = {
    PATH: options.path ?? process.env.PATH,
    npm_lifecycle_event: "start",
    npm_config_fetch_retries: "0",
    npm_config_cache: path.join(dir, "cache"),
  };
  return spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env, uid: options.uid });
}

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("reports to users without root, in one line, how to run the command as root", () => {
  const { status, stderr } = bootstrap({}, [], { uid: 65534 });
  expect(stderr).toMatch(/^set-up: .*needs root: run sudo env "PATH=\$PATH" npm start\n$/);
  expect(status).toBe(1);
});

test.runIf(isRoot)("reports in one line which Go to install if there is none", () => {
  const { status, stderr } = bootstrap({}, [], { path: "/nowhere" });
  expect(stderr).toMatch(/^set-up: no "go" on PATH: install Go .*\n$/);
  expect(status).toBe(1);
});

test.runIf(isRoot)(
  "reports a network problem in one line",
  () => {
    const resolved = "http://127.0.0.1:9/nothing-1.0.0.tgz";
    const packages = {
      "": { dependencies: { nothing: "1.0.0" } },
      "node_modules/nothing": { version: "1.0.0", resolved },
    };
    const { status, stderr } = bootstrap(
      {
        "package.json": JSON.stringify({ name: "p", dependencies: { nothing: "1.0.0" } }),
        "package-lock.json": JSON.stringify({ name: "p", lockfileVersion: 3, requires: true, packages }),
      },
      ["--to-stop"],
      {},
    );
    expect(stderr.trim().split("\n")).toEqual([
      "set-up: installing the npm packages of package-lock.json (npm ci)",
      "set-up: npm ci can't reach its servers: check the network and proxy settings, then retry",
    ]);
    expect(status).toBe(1);
    // npm starts slowly on a busy computer.
  },
  60_000,
);
