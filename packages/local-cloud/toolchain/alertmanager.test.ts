import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { addPlaceholderPages } from "./alertmanager.ts";

test("writes each placeholder page in both encodings that Alertmanager serves", async () => {
  const module = await mkdtemp(path.join(tmpdir(), "alertmanager-test-"));
  try {
    await addPlaceholderPages(module);
    for (const pages of ["elm", "mantine"]) {
      const file = path.join(module, "ui/app/dist", pages, "index.html");
      expect(gunzipSync(await readFile(`${file}.gz`)).toString()).toContain("API only");
      expect(brotliDecompressSync(await readFile(`${file}.br`)).toString()).toContain("API only");
    }
  } finally {
    await rm(module, { recursive: true });
  }
});
