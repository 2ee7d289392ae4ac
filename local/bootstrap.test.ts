import { expect, test } from "vitest";
import {
  goProblem,
  goWanted,
  installProblem,
  isAtLeast,
  machineProblem,
  missingPackages,
  needsNpm,
  systemPackages,
} from "./bootstrap.mjs";

const machine = { platform: "linux", node: "v20.20.2", uid: 0, command: "npm start" };

test("a Linux machine with Node 20 and root is fine", () => {
  expect(machineProblem(machine)).toBeUndefined();
  expect(machineProblem({ ...machine, node: "v24.0.0" })).toBeUndefined();
});

test.each([
  [{ platform: "darwin" }, /Linux virtual machine/],
  [{ platform: "win32" }, /WSL 2/],
  [{ platform: "freebsd" }, /needs Linux, and this is freebsd/],
  [{ node: "v18.19.1" }, /Node v18\.19\.1 is too old: install Node 20/],
  [{ uid: 1000 }, /needs root: run sudo env "PATH=\$PATH" npm start/],
])("says in one line what to do with %j", (difference, line) => {
  const problem = machineProblem({ ...machine, ...difference });
  expect(problem).toMatch(line);
  expect(problem).not.toContain("\n");
});

test("compares versions by number", () => {
  expect(isAtLeast("go1.26.10", "1.26.7")).toBe(true);
  expect(isAtLeast("go1.27rc1", "1.26.7")).toBe(true);
  expect(isAtLeast("go1.9", "1.26.7")).toBe(false);
  expect(isAtLeast("v20.0.0", "20")).toBe(true);
});

test("wants the newest Go of all modules", () => {
  expect(goWanted(["module a\n\ngo 1.24.0\n", "module b\n\ngo 1.26.7\n", "module c\n"])).toBe("1.26.7");
  expect(goProblem("go1.26.8", "1.26.7")).toBeUndefined();
  expect(goProblem("go1.24.1", "1.26.7")).toMatch(/go1\.24\.1 is too old: install Go 1\.26\.7/);
  expect(goProblem(undefined, "1.26.7")).toMatch(/no "go" on PATH: install Go 1\.26\.7/);
});

test("installs only the packages of which something is missing", () => {
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
])("npm ci when needed: %s", (_what, found, needed) => {
  expect(needsNpm({ lock: "same", stamp: undefined, lockTime: 2, ...found })).toBe(needed);
});

test.each([
  ["npm error code EAI_AGAIN\nnpm error request failed", /npm ci can't reach its servers/],
  ["E: Failed to fetch x  Temporary failure resolving 'host'", /can't reach its servers/],
  ["npm error code ENOSPC", /disk full/],
  [
    "npm error code EUSAGE\nnpm error more\nnpm error A complete log of this run",
    /failed: npm error code EUSAGE$/,
  ],
  [
    "Reading package lists...\nE: Unable to locate package runc\n",
    /failed: E: Unable to locate package runc$/,
  ],
  ["", /it says nothing/],
])("explains %j in one line", (output, line) => {
  const problem = installProblem("npm ci", output);
  expect(problem).toMatch(line);
  expect(problem).not.toContain("\n");
});
