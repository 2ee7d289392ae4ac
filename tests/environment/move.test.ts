import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { root } from "../pages.ts";

/** Label values. promtool's dump escapes some of them as Go does, which differs from OpenMetrics. */
const NAMES = [
  "plain",
  "a\ttab",
  "return\rand\u0007bell",
  "no\u00a0break\u200b",
  "\u{e0001}tag",
  "é 🎉",
  'a "quote"',
  "a\nline",
  "no tab: \\t, \\\\t, \\u00a0, C:\\new",
];

/**
 * Tests step 3 of docs/migrate.md, which dumps the newest hours of Prometheus as text and creates blocks from
 * the text.
 */
describe("migrating the newest hours of the old Prometheus", () => {
  let dir: string;
  let promtool: string;
  const inDir = (name: string) => path.join(dir, name);

  beforeAll(async () => {
    promtool = (await ensureToolchain({ only: ["promtool"] })).path("promtool");
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-move-"));
  });
  afterAll(() => rm(dir, { recursive: true }));

  const makeBlocks = async (text: string, blocks: string): Promise<void> => {
    // promtool reads a data directory only if it has a write-ahead log.
    await mkdir(inDir(`${blocks}/wal`), { recursive: true });
    await execa(promtool, ["tsdb", "create-blocks-from", "openmetrics", inDir(text), inDir(blocks)]);
  };
  const dump = async (blocks: string): Promise<string> =>
    (await execa(promtool, ["tsdb", "dump-openmetrics", inDir(blocks)])).stdout;

  it("keeps label values with any characters, because of the perl command in docs/migrate.md", async () => {
    const at = Math.floor(Date.now() / 1000) - 600;
    const quoted = (name: string) =>
      name.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
    const samples = NAMES.map((name, value) => `a_metric{test_name="${quoted(name)}"} ${value} ${at}`);
    await writeFile(inDir("old.txt"), ["# TYPE a_metric gauge", ...samples, "# EOF", ""].join("\n"));
    await makeBlocks("old.txt", "old");
    const dumped = await dump("old");
    await writeFile(inDir("dumped.txt"), `${dumped}\n`);

    await makeBlocks("dumped.txt", "unmended");
    expect(await dump("unmended")).not.toBe(dumped);

    const page = await readFile(path.join(root, "docs/migrate.md"), "utf8");
    const [perl = ""] = /^perl .*$/m.exec(page) ?? [];
    await execa("sh", ["-c", perl], { cwd: dir });
    await makeBlocks("head.txt", "moved");
    expect(await dump("moved")).toBe(dumped);
  });
});
