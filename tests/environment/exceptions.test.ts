import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeCloud } from "k8sfv-local-cloud";
import { copyProgram } from "./previous.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/** Maximum heap of the program and of each TypeScript plugin in MiB. */
const HEAP_MIB = 512;

/** A line that is added to a file of the program, and the expected error. */
interface Case {
  file: string;
  line: string;
  says: string;
}

const CASES: Record<string, Case> = {
  "thrown by index.ts": {
    file: "index.ts",
    line: 'throw new Error("broken on purpose");',
    says: "Error: broken on purpose",
  },
  "thrown by a component's constructor": {
    file: "components/recording-rules.ts",
    line: 'throw new Error("broken on purpose");',
    says: "Error: broken on purpose",
  },
  "a rejected promise": {
    file: "index.ts",
    line: 'void Promise.reject(new Error("broken on purpose"));',
    says: "Error: broken on purpose",
  },
  "thrown inside apply": {
    file: "index.ts",
    line: 'pulumi.output("on purpose").apply((why): void => { throw new Error(`broken ${why}`); });',
    says: "Error: broken on purpose",
  },
  "a TypeError": {
    file: "index.ts",
    line: "(({ some }: { some?: { part: string } }) => some!.part)({});",
    says: "TypeError: Cannot read properties of undefined (reading 'part')",
  },
  "an error of Node inside apply": {
    file: "index.ts",
    line: 'pulumi.output("smtp://host:99999").apply((url) => new URL(url));',
    says: "TypeError: Invalid URL",
  },
  "an error that refers to resources": {
    file: "index.ts",
    line: 'throw Object.assign(new Error("broken on purpose"), { grafana, prometheus, network });',
    says: "Error: broken on purpose",
  },
};

/**
 * Tests that a preview by the real engine shows an unhandled error of the program with its file and line, and takes not
 * much longer than a preview without an error. Tests neither configuration errors nor Pulumi's published language host,
 * which passes other arguments to Node.
 */
describe("an unhandled error in the program", { timeout: 300_000 }, () => {
  let stack: TestStack;

  beforeAll(async () => {
    stack = await openTestStack("exceptions");
    await preview(undefined); // fills caches
  });

  afterAll(() => removeCloud(stack.cloud));

  it.each(Object.entries(CASES))("is shown quickly with its line: %s", async (name, one) => {
    const plain = await preview(undefined);
    const { exitCode, output, seconds, line } = await preview(one);
    console.log(
      `${name}: ${seconds.toFixed(1)} s; a preview without an error: ${plain.seconds.toFixed(1)} s`,
    );
    expect(plain.exitCode).toBe(0);
    expect(exitCode).not.toBe(0);
    expect(output).toContain(one.says);
    expect(output).toMatch(new RegExp(`${one.file.replaceAll(".", "\\.")}:${line}:`));
    // The limit is generous, because the computer may be busy.
    expect(seconds).toBeLessThan(1.5 * plain.seconds + 2);
  });

  async function preview(change: Case | undefined) {
    const folder = path.join(stack.cloud.pulumiDir, "program");
    await rm(folder, { recursive: true, force: true });
    await copyProgram(folder);
    const line = change === undefined ? 0 : await addLine(path.join(folder, change.file), change.line);
    const env = { ...stack.engine.env, NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` };
    const started = performance.now();
    const { exitCode, all } = await execa(path.join(stack.cloud.binDir, "pulumi"), ["preview"], {
      cwd: folder,
      env,
      stdin: "ignore",
      all: true,
      reject: false,
    });
    return {
      exitCode,
      output: stripVTControlCharacters(all),
      seconds: (performance.now() - started) / 1000,
      line,
    };
  }
});

/**
 * Adds a line at the end of a component's constructor, or at the end of a file without a component.
 *
 * @returns the line number
 */
async function addLine(file: string, line: string): Promise<number> {
  const text = await readFile(file, "utf8");
  const end = text.lastIndexOf("    this.registerOutputs(");
  if (end === -1) {
    await appendFile(file, `${line}\n`);
    return text.split("\n").length;
  }
  await writeFile(file, `${text.slice(0, end)}${line}\n${text.slice(end)}`);
  return text.slice(0, end).split("\n").length;
}
