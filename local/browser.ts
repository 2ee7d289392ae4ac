import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/** Debian's Chromium; local/bootstrap.mjs installs it. Playwright's own can't be had from a package registry. */
const CHROMIUM = "/usr/bin/chromium";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser that knows nothing of earlier ones. */
export interface OpenBrowser {
  context: BrowserContext;
  /** Ends it and removes what it stored. */
  close: () => Promise<void>;
}

/** A window's size in pixels. */
export interface WindowSize {
  width: number;
  height: number;
}

/** Starts Chromium without a window, in the time zone UTC and with a user-data folder of its own. */
export async function openBrowser(viewport: WindowSize): Promise<OpenBrowser> {
  const folder = await mkdtemp(path.join(tmpdir(), "k8sfv-browser-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport,
    timezoneId: "UTC",
    locale: "en-US",
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Signs the browser in to Grafana.
 *
 * @param outputs the stack's, with the administrator's name and password
 * @throws Error when Grafana refuses
 */
export async function signIn(
  context: BrowserContext,
  grafana: string,
  outputs: Record<string, unknown>,
): Promise<void> {
  const data = { user: outputs["GRAFANA_USER"], password: outputs["GRAFANA_PASSWORD"] };
  const response = await context.request.post(`${grafana}/login`, { data });
  if (!response.ok()) throw new Error(`Grafana refuses the login: ${response.status()}`);
}

/** Waits until no panel of a dashboard's page loads any more. */
export async function panelsLoaded(page: Page): Promise<void> {
  await page.locator("section").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(`document.querySelector('[aria-label="Panel loading bar"]') === null`);
}
