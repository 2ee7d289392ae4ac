import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { execa } from "execa";
import { type Workspace, defaultCacheDir, fill } from "k8sfv-local-cloud/toolchain";
import { root } from "../../pages.ts";

const SOURCES = import.meta.dirname;

/** Maven plugin that copies JARs. Its own checksum is not pinned; Maven verifies the checksums of the JARs. */
const MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/** A program that pushes with one version of a client library. push.go documents its arguments. */
export interface Client {
  /** Name of the client, and of the directory (next to this file) with the files that pin its packages. */
  name: string;
  /** Whether the library has an option for user and password. */
  takesPassword: boolean;
  /** Source file, shared by several versions. */
  source: string;
  /** Builds or installs the program. */
  build: (workspace: Workspace, source: string) => Promise<void>;
  /** Command that runs the program in its directory. */
  command: string[];
}

const run = (cwd: string, command: string, args: string[], env: Record<string, string> = {}) =>
  execa(command, args, { cwd, env, all: true });

const go = {
  takesPassword: true,
  source: "push.go",
  command: ["./push"],
  build: async ({ out, scratch }: Workspace, source: string) => {
    await copyFile(source, path.join(scratch, "main.go"));
    const env = { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" };
    await run(scratch, "go", ["build", "-trimpath", "-buildvcs=false", "-o", out + "/push", "."], env);
  },
};

const python = {
  takesPassword: true,
  source: "push.py",
  command: ["python3", "push.py"],
  build: async ({ out, scratch }: Workspace, source: string) => {
    const pinned = ["--no-deps", "--require-hashes", "--requirement", "requirements.txt"];
    await run(scratch, "python3", ["-m", "pip", "install", ...pinned, "--target", out]);
    await copyFile(source, path.join(out, "push.py"));
  },
};

const java = (main: string) => ({
  takesPassword: true,
  source: `${main}.java`,
  command: ["java", "-cp", ".:lib/*", main],
  build: async ({ out, scratch }: Workspace, source: string) => {
    const copy = [`${MAVEN_PLUGIN}:copy-dependencies`, `-DoutputDirectory=${out}/lib`];
    await run(scratch, "mvn", ["--batch-mode", "--strict-checksums", ...copy]);
    await run(scratch, "javac", ["-cp", `${out}/lib/*`, "-d", out, source]);
  },
});

const node = {
  takesPassword: true,
  source: "push.cjs",
  command: [process.execPath, "push.cjs"],
  build: async ({ out, scratch }: Workspace, source: string) => {
    await run(scratch, "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    await cp(scratch, out, { recursive: true });
    await copyFile(source, path.join(out, "push.cjs"));
  },
};

const rust = (age: "oldest" | "newest") => ({
  // Before version 0.5.0, the crate `prometheus` had no passwords, and treated every status except 202 as an error.
  takesPassword: age !== "oldest",
  source: `push-${age}.rs`,
  command: ["./client"],
  build: async ({ out, scratch }: Workspace, source: string) => {
    await mkdir(path.join(scratch, "src"));
    await copyFile(source, path.join(scratch, "src/main.rs"));
    await run(scratch, "cargo", ["build", "--locked"], { CARGO_TARGET_DIR: `${scratch}/target` });
    await copyFile(path.join(scratch, "target/debug/client"), path.join(out, "client"));
  },
});

/** The oldest and the newest version of each client library that CI may use; for Java, the old and the new library. */
export const CLIENTS: Client[] = [
  // The version of client_golang that Felix used in 2018.
  { name: "go-oldest", ...go },
  // client_golang 1.1.0, the last version that treats every status except 202 as an error.
  { name: "go-before-1.2", ...go },
  { name: "go-newest", ...go },
  { name: "python-oldest", ...python },
  { name: "python-newest", ...python },
  { name: "java-simpleclient", ...java("PushSimpleclient") },
  { name: "java-newest", ...java("PushNewest") },
  { name: "node-oldest", ...node },
  { name: "node-newest", ...node },
  { name: "rust-oldest", ...rust("oldest") },
  { name: "rust-newest", ...rust("newest") },
];

/**
 * Builds a client unless it is in the cache, next to the toolchain. All clients together take about 4 minutes on 2
 * cores, mostly for the newest Rust client.
 *
 * @returns the client's directory
 * @throws Error with the output of the failed command
 */
export async function buildClient({ name, source, build }: Client): Promise<string> {
  const pins = path.join(SOURCES, name);
  const hash = createHash("sha256").update(await readFile(import.meta.filename));
  for (const file of [source, ...(await readdir(pins)).sort().map((pin) => `${name}/${pin}`)]) {
    hash.update(`${file}\n`).update(await readFile(path.join(SOURCES, file)));
  }
  const cache = path.join(path.dirname(defaultCacheDir()), "clients");
  const folder = path.join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
  await mkdir(cache, { recursive: true });
  await fill(folder, async (workspace) => {
    await cp(pins, workspace.scratch, { recursive: true });
    await build(workspace, path.join(root, "tests/environment/clients", source));
  });
  return folder;
}
