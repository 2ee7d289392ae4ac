import { readFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { readCommandLine } from "../../lib/command-line.ts";
import { root } from "../pages.ts";

class Exit extends Error {}
let errors: string;
let output: string;
let status: unknown;

beforeEach(() => {
  [errors, output, status] = ["", "", undefined];
  vi.spyOn(console, "error").mockImplementation((text: string) => void (errors += `${text}\n`));
  vi.spyOn(console, "log").mockImplementation((text: string) => void (output += `${text}\n`));
  vi.spyOn(process, "exit").mockImplementation((code) => {
    status ??= code;
    throw new Exit();
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
});

/**
 * npm scripts that pass their arguments to a program of this repository, each with the program's path. The scripts
 * `pulumi` and `kubectl` are not included, because Pulumi and kubectl parse their arguments.
 */
const commands = Object.entries(
  (JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { scripts: Record<string, string> })
    .scripts,
).flatMap(([name, script]) => {
  const program = /tsx (\S+\.ts)$/.exec(script)?.[1];
  return program === undefined ? [] : [[name, program] as const];
});

test.each(commands)("npm run %s names an unknown option and prints its usage", async (name, program) => {
  const { argv, exitCode } = process;
  onTestFinished(() => {
    process.argv = argv;
    process.exitCode = exitCode;
    vi.unstubAllEnvs();
  });
  process.argv = [process.execPath, program, "--no-such-option"];
  vi.stubEnv("K8SFV_CLOUD", "none");
  await import(path.join(root, program)).catch((error: unknown) => {
    if (!(error instanceof Exit)) throw error;
  });
  const [problem, usage] = errors.split("\n");
  expect(problem).toBe("Unknown option '--no-such-option'");
  expect(usage).toMatch(new RegExp(`^Usage: npm (run (--silent )?)?${name}\\b`));
  expect(status).toBe(2);
});

test("covers the commands", () => {
  expect(commands.map(([name]) => name)).toEqual(
    expect.arrayContaining(["start", "recover", "bench", "ci-machine"]),
  );
});

const recover = (...args: string[]) =>
  readCommandLine({
    usage: "recover STACK [--json] [--to DATE]",
    options: { json: { type: "boolean", default: false }, to: { type: "string" } },
    positionals: [1, 1],
    args,
  });

test("returns options and positional arguments", () => {
  expect(recover("--json", "a")).toMatchObject({ values: { json: true }, positionals: ["a"] });
});

test.each([
  [[], "An argument is missing"],
  [["a", "b"], "Unexpected argument 'b'"],
  [["a", "--json=yes"], "Option '--json' does not take an argument"],
  [["a", "--to"], "Option '--to <value>' argument missing"],
  [["a", "-x"], "Unknown option '-x'"],
])("refuses the arguments %j", (args, problem) => {
  expect(() => recover(...args)).toThrow(Exit);
  expect([errors, status]).toEqual([`${problem}\nUsage: recover STACK [--json] [--to DATE]\n`, 2]);
});

test("prints the usage on request", () => {
  expect(() => recover("--help")).toThrow(Exit);
  expect([output, errors, status]).toEqual(["Usage: recover STACK [--json] [--to DATE]\n", "", 0]);
});
