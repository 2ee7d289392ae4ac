import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { download } from "../../lib/download.ts";
import { CRD_FILES, readCrds } from "../../components/operator-crds.ts";
import { images } from "../../versions.ts";

vi.mock(import("../../lib/download.ts"), async (actual) => ({
  ...(await actual()),
  download: vi.fn(),
}));

const CONTENT = "kind: CustomResourceDefinition\n";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

async function folderWith(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "crds-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a.yaml"), content);
  return folder;
}

test("accepts a file with the expected checksum from a directory", async () => {
  expect(await readCrds(await folderWith(CONTENT), { "a.yaml": SHA256 })).toBe(CONTENT);
});

test("accepts a file with the expected checksum from a URL", async () => {
  vi.mocked(download).mockResolvedValueOnce(Buffer.from(CONTENT));
  expect(await readCrds("https://example.com/crds/", { "a.yaml": SHA256 })).toBe(CONTENT);
  expect(download).toHaveBeenCalledWith("https://example.com/crds/a.yaml", SHA256);
});

test("removes descriptions and nothing else", async () => {
  const definition = `additionalPrinterColumns:
- description: A column's is short
  name: Version
- name: Ready
  description: Here too
schema:
  description: |-
    A text of two paragraphs, which looks

    description: like
      more than it is
  properties:
    description:
      description: A property of that name stays
      type: string
    path:
      description: one line
        and its continuation
      type: string
`;
  const sha256 = createHash("sha256").update(definition).digest("hex");
  expect(await readCrds(await folderWith(definition), { "a.yaml": sha256 })).toBe(`additionalPrinterColumns:
- description: A column's is short
  name: Version
- name: Ready
schema:
  properties:
    description:
      type: string
    path:
      type: string
`);
});

test("rejects a file with another checksum", async () => {
  const folder = await folderWith("kind: Surprise\n");
  await expect(readCrds(folder, { "a.yaml": SHA256 })).rejects.toThrow(
    /a\.yaml from .* is not the expected file/,
  );
});

test("reports the path or URL of a file that it can't read", async () => {
  await expect(readCrds("/nowhere", { "a.yaml": SHA256 })).rejects.toThrow(
    'Cannot read /nowhere/a.yaml (configuration key "crds"): ENOENT',
  );
  vi.mocked(download).mockRejectedValueOnce(new Error("the server responded 404"));
  await expect(readCrds("https://example.com/crds", { "a.yaml": SHA256 })).rejects.toThrow(
    'Cannot read https://example.com/crds/a.yaml (configuration key "crds"): the server responded 404',
  );
});

test("the checksums of the CRDs are changed together with the operator's version", () => {
  expect(images.operator).toMatch(/:v0\.85\.0(@|$)/);
  expect(Object.keys(CRD_FILES)).toHaveLength(7);
});
