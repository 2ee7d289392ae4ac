// @ts-check
// Run by npm start, stop and test before anything else: checks the machine, and installs what is missing.
// Plain Node without packages, since there may be none yet. Silent when there is nothing to do.
//
//   node local/bootstrap.mjs            everything that npm start and npm test need
//   node local/bootstrap.mjs --to-stop  only what npm stop needs: no Go, no system packages
//   node local/bootstrap.mjs --browser  also Chromium, for the browser tests and the README's pictures
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The oldest Node that the project runs on (`engines` in package.json). */
const oldestNode = "20";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Debian's packages that the local cloud needs, with what shows that one is there: commands on PATH, or
 * files by their absolute path. Only the presence counts, so the same programs from elsewhere will do.
 *
 * @type {Record<string, string[]>}
 */
export const systemPackages = {
  containerd: ["containerd", "ctr"],
  runc: ["runc"],
  iptables: ["iptables"],
  "containernetworking-plugins": ["/usr/lib/cni/ptp", "/usr/lib/cni/host-local", "/usr/lib/cni/loopback"],
  conntrack: ["conntrack"],
  iproute2: ["ip"],
  "util-linux": ["unshare", "nsenter", "setpriv", "mount"],
  procps: ["sysctl"],
};

/**
 * Debian's packages of the browser, in the form of `systemPackages`.
 *
 * @type {Record<string, string[]>}
 */
export const browserPackages = {
  chromium: ["/usr/bin/chromium"],
  "fonts-inter": ["/usr/share/fonts/opentype/inter"],
  "fonts-liberation": ["/usr/share/fonts/truetype/liberation"],
};

/** An end with one line for the person at the keyboard. */
class Refusal extends Error {}

/**
 * Why this machine or user can't run the local cloud; undefined when nothing is in the way.
 *
 * @param {{ platform: string, node: string, uid: number | undefined, command: string }} machine
 *   `node` is Node's version; `command` is what to run again, e.g. `npm start`
 * @returns {string | undefined}
 */
export function machineProblem({ platform, node, uid, command }) {
  if (platform === "darwin") {
    return `the local cloud needs Linux: run ${command} in a Linux virtual machine (e.g. with Lima or Multipass)`;
  }
  if (platform === "win32") return `the local cloud needs Linux: run ${command} inside WSL 2`;
  if (platform !== "linux") return `the local cloud needs Linux, and this is ${platform}`;
  if (!isAtLeast(node, oldestNode)) {
    return `Node ${node} is too old: install Node ${oldestNode} or newer (https://nodejs.org)`;
  }
  if (uid !== 0) {
    return `the local cloud makes network namespaces and containers, which needs root: run sudo env "PATH=$PATH" ${command}`;
  }
  return undefined;
}

/**
 * Why this Go can't build the local cloud; undefined when it can.
 *
 * @param {string | undefined} version as `go env GOVERSION` prints it; undefined when there is no Go
 * @param {string} wanted the oldest that will do, e.g. `1.26.7`
 * @returns {string | undefined}
 */
export function goProblem(version, wanted) {
  const cure = `install Go ${wanted} or newer (https://go.dev/doc/install)`;
  if (version === undefined) return `no "go" on PATH: ${cure}, or add its bin folder to PATH`;
  return isAtLeast(version, wanted) ? undefined : `${version} is too old: ${cure}`;
}

/**
 * The newest Go that any of these go.mod files asks for; "0" when none does.
 *
 * @param {string[]} texts
 * @returns {string}
 */
export function goWanted(texts) {
  const versions = texts.map((text) => /^go\s+(\S+)/m.exec(text)?.[1] ?? "0");
  return versions.reduce((newest, version) => (isAtLeast(newest, version) ? newest : version), "0");
}

/**
 * Packages of which something is not there.
 *
 * @param {(probe: string) => boolean} isThere tells whether a command or file of `packages` is there
 * @param {Record<string, string[]>} packages
 * @returns {string[]}
 */
export function missingPackages(isThere, packages = systemPackages) {
  return Object.entries(packages)
    .filter(([, probes]) => !probes.every(isThere))
    .map(([name]) => name);
}

/**
 * Whether npm's packages must be installed.
 *
 * @param {object} found
 * @param {string} found.lock hash of package-lock.json
 * @param {string | undefined} found.stamp hash that was noted at the last install from here
 * @param {number} found.lockTime when package-lock.json was written
 * @param {number | undefined} found.installedTime when npm last finished an install; undefined: never
 * @returns {boolean}
 */
export function needsNpm({ lock, stamp, lockTime, installedTime }) {
  if (installedTime === undefined) return true;
  // An install by hand leaves no stamp. A fresh checkout changes the time of a file but not what is in it.
  return stamp !== lock && installedTime < lockTime;
}

/**
 * Makes one line of a failed installer's output: the network, if it is that, or its own last error.
 *
 * @param {string} what e.g. `npm ci`
 * @param {string} output
 * @returns {string}
 */
export function installProblem(what, output) {
  const lines = output.split("\n").map((line) => line.trim());
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|Temporary failure|Could not (resolve|connect)/.test(
      output,
    )
  ) {
    return `${what} can't reach its servers: check the network (or a proxy's settings), then run this again`;
  }
  if (/ENOSPC|No space left/i.test(output))
    return `${what} found the disk full: make room, then run this again`;
  const errors = lines.filter(
    (line) => /^(E:|npm (error|ERR!)) \S/.test(line) && !/complete log|A complete/.test(line),
  );
  const said = errors[0] ?? lines.filter((line) => line !== "").at(-1) ?? "it says nothing";
  return `${what} failed: ${said}`;
}

/**
 * Compares versions such as `v20.1.0`, `go1.26.8` or `1.26`, number by number.
 *
 * @param {string} version
 * @param {string} oldest
 * @returns {boolean}
 */
export function isAtLeast(version, oldest) {
  const have = numbers(version);
  const want = numbers(oldest);
  for (const [index, number] of want.entries()) {
    const difference = (have[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** @param {string} version */
function numbers(version) {
  return (/\d+(\.\d+)*/.exec(version)?.[0] ?? "0").split(".").map(Number);
}

/** @param {string} probe */
function isThere(probe) {
  if (probe.startsWith("/")) return existsSync(probe);
  return (process.env["PATH"] ?? "").split(":").some((dir) => {
    try {
      accessSync(path.join(dir, probe), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function checkGo() {
  const result = isThere("go")
    ? spawnSync("go", ["env", "GOVERSION"], { cwd: "/", encoding: "utf8" })
    : undefined;
  const modules = path.join(root, "local", "toolchain", "modules");
  const files = readdirSync(modules).map((name) => path.join(modules, name, "go.mod"));
  const wanted = goWanted(files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8")));
  refuseIf(goProblem(result?.stdout.trim(), wanted));
}

/** @param {Record<string, string[]>} packages */
function installSystemPackages(packages) {
  const missing = missingPackages(isThere, packages);
  if (missing.length === 0) return;
  const names = missing.join(" ");
  if (!isThere("apt-get")) {
    throw new Refusal(
      `install these with your distribution's package manager (the names are Debian's): ${names}`,
    );
  }
  say(`installing with apt-get: ${names}`);
  if (missing.includes("containerd"))
    say("(on a systemd machine that also starts a containerd service; it is not used here)");
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...missing];
  // The lists of packages may be absent or old; updating them takes a while and needs the network.
  if (run(install).status !== 0) {
    const update = run(["apt-get", "update"]);
    const result = run(install);
    if (result.status !== 0) throw new Refusal(installProblem("apt-get", update.output + result.output));
  }
  const still = missingPackages(isThere, packages);
  if (still.length > 0) {
    throw new Refusal(`${still.join(" ")}: installed, but not found; are /usr/sbin and /sbin on PATH?`);
  }
}

function installNpmPackages() {
  const lockFile = path.join(root, "package-lock.json");
  const stampFile = path.join(root, "node_modules", ".installed-lock");
  const lock = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : undefined;
  // npm writes this file last.
  const installed = statSync(path.join(root, "node_modules", ".package-lock.json"), {
    throwIfNoEntry: false,
  });
  const lockTime = statSync(lockFile).mtimeMs;
  if (needsNpm({ lock, stamp, lockTime, installedTime: installed?.mtimeMs })) {
    say("installing the npm packages of package-lock.json (npm ci)");
    const result = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if (result.status !== 0) throw new Refusal(installProblem("npm ci", result.output));
  }
  if (stamp !== lock) writeFileSync(stampFile, lock);
}

/**
 * Runs a command in the project's folder.
 *
 * @param {string[]} command
 * @returns {{ status: number | null, output: string }}
 */
function run([program = "", ...args]) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const result = spawnSync(program, args, { cwd: root, env, encoding: "utf8", maxBuffer: 1 << 26 });
  return {
    status: result.status,
    output: `${result.stdout}\n${result.stderr}\n${result.error?.message ?? ""}`,
  };
}

/** @param {string} line */
function say(line) {
  console.error(`set-up: ${line}`);
}

/** @param {string | undefined} problem */
function refuseIf(problem) {
  if (problem !== undefined) throw new Refusal(problem);
}

/** @param {string[]} args */
function main(args) {
  const toStop = args.includes("--to-stop");
  const command = `npm ${process.env["npm_lifecycle_event"] ?? "start"}`;
  const uid = process.getuid?.();
  try {
    refuseIf(machineProblem({ platform: process.platform, node: process.version, uid, command }));
    if (!toStop) {
      checkGo();
      installSystemPackages({ ...systemPackages, ...(args.includes("--browser") ? browserPackages : {}) });
    }
    installNpmPackages();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
