import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { type Context, Hono } from "hono";
import { getMimeType } from "hono/utils/mime";
import { STAND_IN } from "./core/version.ts";

/** Paths that return the bundle's index.html. Its script shows the page for the path. */
const PAGES = ["/", "/d/*", "/dashboards", "/dashboards/*", "/login", "/alerting", "/alerting/*", "/explore"];

/** Response if there is no bundle. */
const WITHOUT_BUNDLE = `<!doctype html><html lang="en"><title>Stand-in for Grafana</title>
<p>${STAND_IN}</p><p>Its pages are not built; the API works.</p></html>`;

/** Serves the pages: a static bundle in `build/` of the static root. Loading it requires no authentication. */
export function pages(staticRoot: string): Hono {
  const app = new Hono();
  const build = path.join(staticRoot, "build");
  const index = async (c: Context) => {
    const html = await readFile(path.join(build, "index.html"), "utf8").catch(() => WITHOUT_BUNDLE);
    c.header("Cache-Control", "no-store");
    return c.html(html);
  };
  for (const page of PAGES) app.get(page, index);
  app.get("/public/build/*", async (c) => {
    const name = decodeURIComponent(c.req.path.slice("/public/build/".length));
    const file = path.join(build, name);
    const isInside = file.startsWith(`${build}${path.sep}`);
    const isFile =
      isInside &&
      (await stat(file).then(
        (found) => found.isFile(),
        () => false,
      ));
    if (!isFile) return c.text("Not found", 404);
    // File names of the bundle end with a hash of the contents, except those of icons.
    const isHashed = /-[A-Z0-9]{8}\.\w+$/.test(file);
    c.header("Cache-Control", isHashed ? "public, max-age=31536000, immutable" : "public, max-age=3600");
    c.header("Content-Type", getMimeType(file) ?? "application/octet-stream");
    return c.body(await readFile(file));
  });
  return app;
}
