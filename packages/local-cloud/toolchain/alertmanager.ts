import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Alertmanager (API only)</title>
<h1>Alertmanager (API only)</h1>
<p>This Alertmanager is built from its Go module, which does not contain the web pages; the official image does.
Its API works: <a href="/api/v2/alerts">alerts</a>, <a href="/api/v2/silences">silences</a>,
<a href="/api/v2/status">status</a>, <a href="/metrics">metrics</a>.</p>
</html>
`;

/**
 * Adds placeholder pages for Alertmanager's two user interfaces, `/` and `/ui/`, because Alertmanager does not compile
 * without the directories of their pages. It serves only compressed pages: Brotli if the client accepts it, else gzip
 * (ui/web.go).
 *
 * @param module writable copy of the Go module github.com/prometheus/alertmanager
 */
export async function addPlaceholderPages(module: string): Promise<void> {
  for (const pages of ["elm", "mantine"]) {
    const folder = path.join(module, "ui/app/dist", pages);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, "index.html.gz"), gzipSync(PAGE));
    await writeFile(path.join(folder, "index.html.br"), brotliCompressSync(PAGE));
  }
}
