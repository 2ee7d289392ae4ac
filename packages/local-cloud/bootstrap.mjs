// @ts-check
// Runs before npm start, stop and test: checks the computer and installs missing packages. This script uses only Node's
// own modules, because npm packages may not be installed yet. It prints nothing when there is nothing to do.
//
//   node packages/local-cloud/bootstrap.mjs                    packages that npm start and npm test need
//   node packages/local-cloud/bootstrap.mjs --to-stop          packages that npm stop needs: no Go, no Debian packages
//   node packages/local-cloud/bootstrap.mjs --official-images  also skopeo, to pull images from registries
//   node packages/local-cloud/bootstrap.mjs --registry         also skopeo and a registry, for tests
//   node packages/local-cloud/bootstrap.mjs --browser          also Chromium, for browser tests and npm run pictures
//   node packages/local-cloud/bootstrap.mjs --clients          also compilers for clients of the Pushgateway, for tests
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

/** Minimum Node version (`engines` in package.json). */
const oldestNode = "20";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * Debian packages that the local cloud needs. A package counts as installed if all of its listed commands are on PATH
 * and all of its listed files (absolute paths) exist. So the same programs from other sources work too.
 *
 * @type {Record<string, string[]>}
 */
export const systemPackages = {
  containerd: ["containerd", "ctr"],
  runc: ["runc"],
  iptables: ["iptables"],
  "containernetworking-plugins": ["/usr/lib/cni/ptp", "/usr/lib/cni/host-local", "/usr/lib/cni/loopback"],
  conntrack: ["conntrack"],
  haproxy: ["haproxy"],
  iproute2: ["ip"],
  "util-linux": ["unshare", "nsenter", "setpriv", "mount", "hardlink"],
  procps: ["sysctl"],
};

/**
 * Debian packages of the browser and its fonts, with the files that show that a package is installed.
 *
 * @type {Record<string, string[]>}
 */
export const browserPackages = {
  chromium: ["/usr/bin/chromium"],
  "fonts-inter": ["/usr/share/fonts/opentype/inter"],
  "fonts-liberation": ["/usr/share/fonts/truetype/liberation"],
};

/**
 * Debian packages for pulling images and, for tests, a registry.
 *
 * @type {Record<string, string[]>}
 */
export const registryPackages = {
  skopeo: ["skopeo"],
  "docker-registry": ["docker-registry"],
};

/**
 * Debian packages that build the clients of tests/environment/clients.test.ts. The crate `prometheus` needs Rust 1.81.
 * Debian 12's package `cargo` is older, but its package `cargo-web` is new enough.
 *
 * @type {Record<string, string[]>}
 */
export const clientPackages = {
  "python3-pip": ["python3", "pip3"],
  "default-jdk-headless": ["java", "javac"],
  maven: ["mvn"],
  "cargo-web": ["cargo", "rustc"],
  "libssl-dev": ["/usr/include/openssl/ssl.h"],
  "pkg-config": ["pkg-config"],
};

/** An error that is printed in one line, without a stack. */
class BootstrapError extends Error {}

/**
 * Returns why this computer or user can't run the local cloud, or undefined if it can.
 *
 * @param {{ platform: string, node: string, uid: number | undefined, command: string }} machine `node` is
 * Node's version; `command` is the command to run again, e.g. `npm start`
 * @returns {string | undefined}
 */
export function platformProblem({ platform, node, uid, command }) {
  if (platform === "darwin") {
    return `the local cloud needs Linux: run ${command} in a Linux virtual machine (e.g. with Lima or Multipass)`;
  }
  if (platform === "win32") return `the local cloud needs Linux: run ${command} inside WSL 2`;
  if (platform !== "linux") return `the local cloud needs Linux, and this is ${platform}`;
  if (!isAtLeast(node, oldestNode)) {
    return `Node ${node} is too old: install Node ${oldestNode} or newer (https://nodejs.org)`;
  }
  if (uid !== 0) {
    return `the local cloud creates network namespaces and containers, which needs root: run sudo env "PATH=$PATH" ${command}`;
  }
  return undefined;
}

/**
 * Returns why the installed Go can't build the local cloud, or undefined if it can.
 *
 * @param {string | undefined} version output of `go env GOVERSION`; undefined without Go
 * @param {string} wanted minimum version, e.g. `1.26.7`
 * @returns {string | undefined}
 */
export function goProblem(version, wanted) {
  const cure = `install Go ${wanted} or newer (https://go.dev/doc/install)`;
  if (version === undefined) return `no "go" on PATH: ${cure}, or add its bin directory to PATH`;
  return isAtLeast(version, wanted) ? undefined : `${version} is too old: ${cure}`;
}

/**
 * Returns the newest Go version that any of these go.mod files requires; "0" if none does.
 *
 * @param {string[]} texts
 * @returns {string}
 */
export function goWanted(texts) {
  const versions = texts.map((text) => /^go\s+(\S+)/m.exec(text)?.[1] ?? "0");
  return versions.reduce((newest, version) => (isAtLeast(newest, version) ? newest : version), "0");
}

/**
 * Returns the packages that are not completely installed.
 *
 * @param {(probe: string) => boolean} isThere reports whether a command or file of `packages` exists
 * @param {Record<string, string[]>} packages
 * @returns {string[]}
 */
export function missingPackages(isThere, packages = systemPackages) {
  return Object.entries(packages)
    .filter(([, probes]) => !probes.every(isThere))
    .map(([name]) => name);
}

/**
 * Reports whether the npm packages must be installed.
 *
 * @param {object} found
 * @param {string} found.lock hash of package-lock.json
 * @param {string | undefined} found.stamp hash recorded by this script's last installation
 * @param {number} found.lockTime modification time of package-lock.json in Unix ms
 * @param {number | undefined} found.installedTime end of npm's last installation in Unix ms; undefined if there was
 * none
 * @returns {boolean}
 */
export function needsNpm({ lock, stamp, lockTime, installedTime }) {
  if (installedTime === undefined) return true;
  // Either the hash or the time can show that the packages are current. After a manual `npm ci`, which records no hash,
  // only the time does. After a fresh checkout, which changes the lock file's time but not its content, only the hash
  // does.
  return stamp !== lock && installedTime < lockTime;
}

/**
 * Summarizes the output of a failed installer in one line: a network or disk problem, its first error, or else its last line.
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
    return `${what} can't reach its servers: check the network and proxy settings, then retry`;
  }
  if (/ENOSPC|No space left/i.test(output))
    return `${what} failed because the disk is full: free some space, then retry`;
  const errors = lines.filter(
    (line) => /^(E:|npm (error|ERR!)) \S/.test(line) && !/complete log|A complete/.test(line),
  );
  const said = errors[0] ?? lines.filter((line) => line !== "").at(-1) ?? "it printed nothing";
  return `${what} failed: ${said}`;
}

/**
 * Compares versions such as `v20.1.0`, `go1.26.8` or `1.26` number by number.
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
  const modules = path.join(root, "packages/local-cloud/toolchain/modules");
  const files = readdirSync(modules).map((name) => path.join(modules, name, "go.mod"));
  const wanted = goWanted(files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8")));
  throwIf(goProblem(result?.stdout.trim(), wanted));
}

/** @param {Record<string, string[]>} packages */
function installSystemPackages(packages) {
  const missing = missingPackages(isThere, packages);
  if (missing.length === 0) return;
  const names = missing.join(" ");
  if (!isThere("apt-get")) {
    throw new BootstrapError(
      `install these packages with your distribution's package manager (Debian's names): ${names}`,
    );
  }
  log(`installing with apt-get: ${names}`);
  if (missing.includes("containerd"))
    log("(with systemd this also starts a containerd service, which the local cloud does not use)");
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...missing];
  // If the installation fails, the package lists may be missing or outdated. Updating them takes a while, so
  // it happens only then.
  if (run(install).status !== 0) {
    const update = run(["apt-get", "update"]);
    const result = run(install);
    if (result.status !== 0)
      throw new BootstrapError(installProblem("apt-get", update.output + result.output));
  }
  const still = missingPackages(isThere, packages);
  if (still.length > 0) {
    throw new BootstrapError(`${still.join(" ")}: installed, but not found: add /usr/sbin and /sbin to PATH`);
  }
}

function installNpmPackages() {
  const lockFile = path.join(root, "package-lock.json");
  const stampFile = path.join(root, "node_modules", ".installed-lock");
  const lock = createHash("sha256").update(readFileSync(lockFile)).digest("hex");
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : undefined;
  // npm writes this file at the end of an installation, so its time is that of the last complete installation.
  const installed = statSync(path.join(root, "node_modules", ".package-lock.json"), {
    throwIfNoEntry: false,
  });
  const lockTime = statSync(lockFile).mtimeMs;
  if (needsNpm({ lock, stamp, lockTime, installedTime: installed?.mtimeMs })) {
    log("installing the npm packages of package-lock.json (npm ci)");
    const result = run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    if (result.status !== 0) throw new BootstrapError(installProblem("npm ci", result.output));
  }
  if (stamp !== lock) writeFileSync(stampFile, lock);
}

/**
 * Runs a command in the project's directory.
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
function log(line) {
  console.error(`set-up: ${line}`);
}

/** @param {string | undefined} problem */
function throwIf(problem) {
  if (problem !== undefined) throw new BootstrapError(problem);
}

/** @param {string[]} args */
function main(args) {
  const toStop = args.includes("--to-stop");
  const command = `npm ${process.env["npm_lifecycle_event"] ?? "start"}`;
  const uid = process.getuid?.();
  try {
    throwIf(platformProblem({ platform: process.platform, node: process.version, uid, command }));
    if (!toStop) {
      checkGo();
      const { skopeo } = registryPackages;
      installSystemPackages({
        ...systemPackages,
        ...(args.includes("--browser") ? browserPackages : {}),
        ...(args.includes("--official-images") ? { skopeo } : {}),
        ...(args.includes("--registry") ? registryPackages : {}),
        ...(args.includes("--clients") ? clientPackages : {}),
      });
    }
    installNpmPackages();
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    log(error.message);
    process.exitCode = 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2));
