import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type OpenBrowser, openBrowser, panelsLoaded } from "k8sfv-local-cloud";
import { type Pages, type Running, ensurePages, readSettings, startServer } from "k8sfv-local-cloud/grafana";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { dashboards } from "../../monitoring-mixin/dashboards/index.ts";
import { DEFAULT_THRESHOLDS } from "../../monitoring-mixin/thresholds.ts";
import { expressions, panel, TIMEOUT_MS, visitAsEngineer } from "./dashboard-visit.ts";
import { firingAlert, ODD_LEVEL, ODD_NAMES, oddRuns } from "./odd-names.ts";
import { type PrometheusProcess, startPrometheus } from "./prometheus-process.ts";

const ADMIN = { user: "admin", password: "browser-test" };
const HOUR_S = 3600;

/**
 * Tests the dashboards in a browser. The Grafana stand-in and a real Prometheus run as processes on this
 * computer, with three weeks of generated nightly runs. Does not prove how Grafana's own pages show the
 * dashboards. The stand-in's pages use the same libraries as Grafana's: scenes, @grafana/ui and
 * @grafana/data.
 */
describe("the dashboards in a browser", () => {
  let scratch: string;
  let pages: Pages;
  let prometheus: PrometheusProcess | undefined;
  let grafana: Running | undefined;
  let browser: OpenBrowser | undefined;

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), "k8sfv-browser-test-"));
    const toolchain = await ensureToolchain({ only: ["history", "prometheus", "promtool"] });
    pages = await ensurePages(toolchain.cacheDir, (line) => {
      console.error(line);
    });
    const data = path.join(scratch, "prometheus");
    await execa(toolchain.path("history"), ["-nights", "21", "-raw-nights", "2", "-felix", "-out", data]);
    const now = Math.floor(Date.now() / 60_000) * 60;
    const lines = [...oddRuns(now - 4 * HOUR_S), ...firingAlert(now - 50 * HOUR_S), "# EOF", ""];
    await writeFile(path.join(scratch, "odd.txt"), lines.join("\n"));
    const blocks = ["tsdb", "create-blocks-from", "openmetrics", path.join(scratch, "odd.txt"), data];
    await execa(toolchain.path("promtool"), blocks);
    prometheus = await startPrometheus(toolchain.path("prometheus"), data);
    grafana = await startGrafana(path.join(scratch, "grafana"), pages, prometheus.url);
    browser = await openBrowser({ width: 1600, height: 1200 });
    browser.context.setDefaultTimeout(TIMEOUT_MS);
  });

  afterAll(async () => {
    await browser?.close();
    await grafana?.close();
    await prometheus?.close();
    await rm(scratch, { recursive: true, force: true });
  });

  it("are shown by pages without TypeScript errors", async () => {
    const copy = path.join(scratch, "types");
    await mkdir(copy);
    for (const name of ["src", "tsconfig.json"]) {
      await cp(path.join("packages/local-cloud/grafana/pages", name), path.join(copy, name), {
        recursive: true,
      });
    }
    await symlink(path.join(pages.project, "node_modules"), path.join(copy, "node_modules"));
    await execa("node_modules/.bin/tsc", ["--project", copy]);
  });

  it("let an engineer sign in, select a code level and a time range, read a graph and follow a link", async () => {
    const { page, url } = await newPage();
    await visitAsEngineer(page, { url, ...ADMIN, codeLevel: "release-v3.31" });
  });

  it("are listed on the start page", async () => {
    const page = await open("/");
    await page.getByRole("link", { name: "Monitoring health" }).click();
    await page.waitForURL(/\/d\/k8sfv-monitoring-health/);
    await panel(page, "Scrapes").waitFor();
  });

  it.each(Object.values(dashboards(DEFAULT_THRESHOLDS)).map(({ uid, title }) => [title, uid] as const))(
    "show all panels of %s without errors of queries or of the page",
    async (_, uid) => {
      const page = await open(`/d/${uid}`);
      await panelsLoaded(page);
      for (const { title = "" } of panelsOf(uid)) await panel(page, title).waitFor();
      expect(await page.getByLabel("Panel status").count()).toBe(0);
      expect(await page.getByText(/Error loading|has no panel of type/).count()).toBe(0);
    },
  );

  it.each(ODD_NAMES)("show the heap and the result of the test named %j", async (name) => {
    // When a user selects a test, Grafana puts a part of the test's name into the URL: leading backticks are removed,
    // and the name ends before the next backtick (`chosenTests` in monitoring-mixin/dashboards/variables.ts).
    const [chosen = ""] = /[^`]+/.exec(name) ?? [];
    const query = new URLSearchParams({
      "var-code_level": ODD_LEVEL,
      "var-test_name": chosen,
      "var-heap_test": chosen,
    });
    const page = await open(`/d/k8sfv-summary?${query.toString()}`);
    await panelsLoaded(page);
    const cells = panel(page, "Last result of each test").getByRole("gridcell");
    expect(await cells.allInnerTexts()).toEqual(expect.arrayContaining([name.replace("\n", " "), "pass"]));
    await expect
      .poll(() => panel(page, "Heap at each step of the last run").getByTestId("bar-group").count())
      .toBe(3);
    const legend = panel(page, "Heap by nightly run").getByText("max · projectcalico/felix odd · felix");
    await legend.waitFor();
  });

  it("show an annotation for the time in which an alert fired", async () => {
    const page = await open("/d/k8sfv-summary?from=now-7d&to=now");
    await panelsLoaded(page);
    const mark = panel(page, "Tests passing").getByTestId("annotation");
    await mark.hover({ timeout: 20_000 });
    await page.getByText("TestFailed").waitFor();
    // Forced, because the switch's label covers its input.
    await page.getByRole("switch").uncheck({ force: true });
    await mark.waitFor({ state: "detached" });
  });

  it("show a single panel at the URL in an alert's message", async () => {
    const page = await open("/d/k8sfv-summary?viewPanel=2");
    await panel(page, "Last result of each test").getByText("pass").first().waitFor();
    expect(await page.locator("section").count()).toBe(1);
    await page.getByRole("link", { name: "Back to dashboard" }).click();
    await panel(page, "Tests passing").waitFor();
  });

  it("refresh at the interval in the URL", async () => {
    const page = await open("/d/k8sfv-summary?refresh=5s");
    await panelsLoaded(page);
    await page.waitForRequest((request) => expressions(request).length > 0);
  });

  /** Opens a path of Grafana in the session of an earlier test, which signed in (visitAsEngineer). */
  async function open(address: string): Promise<Page> {
    const { page, url } = await newPage();
    await page.goto(`${url}${address}`);
    return page;
  }

  /** Returns a new page, which is closed after the test. Fails the test if the page has script errors. */
  async function newPage(): Promise<{ page: Page; url: string }> {
    if (browser === undefined || grafana === undefined) throw new Error("The browser didn't start");
    const page = await browser.context.newPage();
    const errors: unknown[] = [];
    page.on("pageerror", (error) => errors.push(error));
    onTestFinished(async () => {
      await page.close();
      expect(errors).toEqual([]);
    });
    return { page, url: grafana.url };
  }
});

function panelsOf(uid: string): { title?: string }[] {
  const found = Object.values(dashboards(DEFAULT_THRESHOLDS)).find((dashboard) => dashboard.uid === uid);
  return found?.panels ?? [];
}

/** Starts the Grafana stand-in with the project's dashboards. */
async function startGrafana(dataDir: string, { dir }: Pages, prometheus: string): Promise<Running> {
  await mkdir(dataDir);
  const settings = readSettings(
    {
      GF_PATHS_DATA: dataDir,
      GF_SERVER_HTTP_ADDR: "127.0.0.1",
      GF_SERVER_HTTP_PORT: "0",
      GF_SERVER_STATIC_ROOT_PATH: dir,
      GF_SECURITY_ADMIN_USER: ADMIN.user,
      GF_SECURITY_ADMIN_PASSWORD: ADMIN.password,
    },
    dir,
  );
  const running = await startServer(settings, prometheus);
  for (const dashboard of Object.values(dashboards(DEFAULT_THRESHOLDS))) {
    const response = await fetch(`${running.url}/api/dashboards/db`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: `Basic ${Buffer.from(`${ADMIN.user}:${ADMIN.password}`).toString("base64")}`,
      },
      body: JSON.stringify({ dashboard, overwrite: true }),
    });
    if (!response.ok) throw new Error(`${dashboard.title}: ${response.status} ${await response.text()}`);
  }
  return running;
}
