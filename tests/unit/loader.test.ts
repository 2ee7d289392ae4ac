import { readFileSync } from "node:fs";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../pages.ts";

/**
 * Runs code like the Node.js language host: with the Node options of Pulumi.yaml, after loading the SDK's
 * source-map-support.
 *
 * @param program - code that can call `fail` from loader/throws.ts
 * @param more - additional Node options
 * @returns standard output
 */
async function run(program: string, more: string[]): Promise<string> {
  const { runtime } = parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
    runtime: { options: { nodeargs: string } };
  };
  const words = runtime.options.nodeargs.split(" ");
  const sdk =
    'require(require.resolve("source-map-support/register", { paths: [require.resolve("@pulumi/pulumi")] }))';
  const code = `${sdk}; import("./tests/unit/loader/throws.ts").then(async ({ fail }) => { ${program} });`;
  const { stdout } = await execa(process.execPath, [...more, ...words, "--eval", code], {
    cwd: root,
    timeout: 40_000,
  });
  return stdout;
}

const printLine = 'try { fail({ name: "broken" }); } catch (error) { console.log(error.stack); }';

// Option that turns off the type stripping of a newer Node, so that it behaves like older versions.
const older = "typescript" in process.features ? [["--no-experimental-strip-types"]] : [];

test.each([[], ...older])(
  "runs TypeScript and prints the correct line and column in stack traces (additional Node option: %s)",
  async (...more) => {
    expect(await run(`await import("./stack-traces.ts"); ${printLine}`, more)).toMatch(
      /Error: broken\n +at .*fail \(.*tests\/unit\/loader\/throws\.ts:7:9\)/,
    );
  },
);

// With source maps, the path of the SDK's stack frames is `node_modules/@pulumi/output.ts`, which has no directory
// after the scope. At such a path, util.inspect loops until its string is too long, which takes 45 s and 4 GB. This
// test has a small heap, so that such a loop fails immediately.
test.each([[], ...older])(
  "util.inspect prints an error whose stack contains frames of the SDK (additional Node option: %s)",
  async (...more) => {
    const program = `
    await import("./stack-traces.ts");
    process.on("unhandledRejection", (error) => console.log(require("node:util").inspect(error, { colors: true })));
    (await import("@pulumi/pulumi")).output("broken").apply((name) => fail({ name }));`;
    const inspected = stripVTControlCharacters(await run(program, ["--max-old-space-size=256", ...more]));
    expect(inspected).toMatch(/fail \(.*tests\/unit\/loader\/throws\.ts:7:9\)/);
    expect(inspected).toMatch(/node_modules\/@pulumi\/pulumi\/output\.js:/);
  },
);
