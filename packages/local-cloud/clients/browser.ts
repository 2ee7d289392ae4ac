import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

/**
 * Debian's Chromium, installed by packages/local-cloud/bootstrap.mjs. Playwright's own build of Chromium is in no
 * package registry.
 */
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

/** A browser with an empty profile. */
export interface OpenBrowser {
  context: BrowserContext;
  /** Closes the browser and removes its profile. */
  close: () => Promise<void>;
}

/** Window size in pixels. */
export interface WindowSize {
  width: number;
  height: number;
}

/** Starts headless Chromium in time zone UTC with an empty profile. */
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
 * Logs the browser in to Grafana.
 *
 * @param outputs stack outputs, which contain the administrator's name and password
 * @throws Error when Grafana rejects the login
 */
export async function signIn(
  context: BrowserContext,
  grafana: string,
  outputs: Record<string, unknown>,
): Promise<void> {
  const data = { user: outputs["GRAFANA_USER"], password: outputs["GRAFANA_PASSWORD"] };
  const response = await context.request.post(`${grafana}/login`, { data });
  if (!response.ok()) throw new Error(`Grafana rejected the login with status ${response.status()}`);
}

/** Waits until all panels of a dashboard's page have loaded. */
export async function panelsLoaded(page: Page): Promise<void> {
  await page.locator("section").first().waitFor();
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(`document.querySelector('[aria-label="Panel loading bar"]') === null`);
}
