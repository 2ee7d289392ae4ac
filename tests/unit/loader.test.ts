import { readFileSync } from "node:fs";
import path from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../pages.ts";

/** As the language host starts a program: with Pulumi.yaml's words for Node, and what its SDK does first of all. */
async function run(program: string, more: string[]): Promise<string> {
  const { runtime } = parse(readFileSync(path.join(root, "Pulumi.yaml"), "utf8")) as {
    runtime: { options: { nodeargs: string } };
  };
  const words = runtime.options.nodeargs.split(" ");
  const sdk =
    'require(require.resolve("source-map-support/register", { paths: [require.resolve("@pulumi/pulumi")] }))';
  const code = `${sdk}; import("./tests/unit/loader/throws.ts").then(async ({ fail }) => { ${program} });`;
  const { stdout } = await execa(process.execPath, [...more, ...words, "--eval", code], { cwd: root });
  return stdout;
}

const printLine = 'try { fail({ name: "broken" }); } catch (error) { console.log(error.stack); }';

// A newer Node can do as the older ones, which tsx translates for.
const older = "typescript" in process.features ? [["--no-experimental-strip-types"]] : [];

test.each([[], ...older])(
  "the program's TypeScript is taken, and an error names its own line: %s",
  async (...more) => {
    expect(await run(`await import("./stack-traces.ts"); ${printLine}`, more)).toMatch(
      /Error: broken\n +at .*fail \(.*tests\/unit\/loader\/throws\.ts:7:9\)/,
    );
  },
);
