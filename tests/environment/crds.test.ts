import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { CRD_FILES, readCrds } from "../../components/operator-crds.ts";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";

/**
 * Removes the same descriptions as readCrds: all except those of printer columns. These are the first key of a list
 * item (`- description: …`), and readCrds removes no key after a dash.
 */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withoutDescriptions(one));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, text]) => !(key === "description" && typeof text === "string" && !("jsonPath" in value)))
      .map(([key, one]) => [key, withoutDescriptions(one)]),
  );
}

test("readCrds removes the descriptions of the operator's CRDs and nothing else", async () => {
  const { crds } = await ensureToolchain({ only: ["crds"] });
  const read = parseAllDocuments(await readCrds(crds))
    .map((document) => document.toJS() as unknown)
    .filter((definition) => definition !== null);
  for (const [at, file] of Object.keys(CRD_FILES).entries()) {
    expect(read[at], file).toEqual(withoutDescriptions(parse(await readFile(path.join(crds, file), "utf8"))));
  }
  expect(JSON.stringify(read).length).toBeLessThan(300_000);
});
