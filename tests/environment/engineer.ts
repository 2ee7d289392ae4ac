import type { Page, Request } from "playwright-core";
import { expect } from "vitest";
import { panelsLoaded } from "../../packages/local-cloud/browser.ts";

/** A Grafana with the project's dashboards, filled by a run of more than one code level. */
export interface Visited {
  url: string;
  user: string;
  password: string;
  /** The code level that is picked; it has runs in the last 30 days. */
  codeLevel: string;
  /**
   * Whether its last run is only minutes old. Then no graph of 30 days has a point of it yet, since the points are half an
   * hour apart, and the engineer points at none. @default false
   */
  isNew?: boolean;
}

/** Time for a page and its queries, on a machine that does other work meanwhile. */
export const TIMEOUT_MS = 120_000;

/**
 * What an engineer does on the morning after a nightly run: opens the summary, signs in, looks at the results, picks
 * a code level, goes to the last 30 days, points at a graph and follows a link to another dashboard.
 */
export async function visitAsEngineer(page: Page, visited: Visited): Promise<void> {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  await page.goto(`${visited.url}/d/k8sfv-summary?from=now-7d&to=now`);
  await signIn(page, visited);
  await page.getByText("stand-in for Grafana, not Grafana").waitFor();
  await seesResults(page);
  await picks(page, visited.codeLevel);
  await goesToLast30Days(page);
  if (visited.isNew !== true) await pointsAtGraph(page, visited.codeLevel);
  await followsLink(page, "k8s scale testing", "/d/k8s-scale-testing");
  await addressHas(page, "from", "now-30d");
  await panel(page, "Workload endpoints").waitFor();
  expect(errors).toEqual([]);
}

/** Signs in at the page that the address led to: with a wrong password first. */
async function signIn(page: Page, { user, password }: Visited): Promise<void> {
  await page.waitForURL(/\/login\?redirectTo=/);
  const submit = () => page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("textbox", { name: "User" }).fill(user);
  await page.getByRole("textbox", { name: "Password" }).fill("wrong");
  await submit();
  await page.getByText("Invalid username or password").waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await submit();
  await page.waitForURL(/\/d\/k8sfv-summary/);
}

async function seesResults(page: Page): Promise<void> {
  const results = panel(page, "Last result of each test");
  await results.getByText("pass", { exact: true }).first().waitFor();
  await results.getByRole("columnheader", { name: /^Test/ }).waitFor();
  await panel(page, "Tests passing in the last nightly run").getByText("%").first().waitFor();
}

/** Picks one code level instead of all; then every query of the panels asks for it alone. */
async function picks(page: Page, codeLevel: string): Promise<void> {
  const asked: string[] = [];
  const listen = (request: Request) => asked.push(...expressions(request));
  page.on("request", listen);
  await page.getByRole("combobox").first().click();
  await page.getByRole("option", { name: codeLevel, exact: true }).click();
  // A choice of several values is taken when its list closes; what lies around the list takes the click.
  await page.mouse.click(4, 600);
  await addressHas(page, "var-code_level", codeLevel);
  await expect.poll(() => asked.length, { timeout: TIMEOUT_MS }).toBeGreaterThan(10);
  page.off("request", listen);
  const escaped = codeLevel.replaceAll(/[.]/g, "\\$&");
  expect(asked.filter((expr) => expr.includes("nightly:") && !expr.includes(`=~\`${escaped}\``))).toEqual([]);
  const levels = panel(page, "Last result of each test").getByRole("gridcell");
  await expect.poll(() => levels.allTextContents(), { timeout: TIMEOUT_MS }).toContain(codeLevel);
}

async function addressHas(page: Page, parameter: string, value: string): Promise<void> {
  const found = () => new URL(page.url()).searchParams.getAll(parameter);
  await expect.poll(found, { timeout: TIMEOUT_MS }).toEqual([value]);
}

/** PromQL of the panels' queries in a request; empty for any other request. */
export function expressions(request: Request): string[] {
  if (!request.url().includes("/api/ds/query")) return [];
  const { queries } = request.postDataJSON() as { queries: { refId: string; expr: string }[] };
  return queries.filter(({ refId }) => refId !== "Anno").map(({ expr }) => expr);
}

async function goesToLast30Days(page: Page): Promise<void> {
  await page.getByTestId("data-testid TimePicker Open Button").click();
  await page.getByText("Last 30 days", { exact: true }).click();
  await addressHas(page, "from", "now-30d");
  await panelsLoaded(page);
}

/** Points at the newest end of a graph until a tooltip names the code level. */
async function pointsAtGraph(page: Page, codeLevel: string): Promise<void> {
  const plot = panel(page, "Tests passing").locator(".u-over");
  await plot.scrollIntoViewIfNeeded();
  const tooltip = page.getByTestId("data-testid viz-tooltip-wrapper");
  const box = await plot.boundingBox();
  if (box === null) throw new Error("The panel Tests passing has no plot");
  // Runs are a night apart, and a tooltip names a series only near one of its points.
  for (let x = box.x + box.width - 1; x > box.x; x -= 5) {
    await page.mouse.move(x, box.y + box.height / 2);
    await page.waitForTimeout(100);
    if ((await tooltip.count()) > 0 && (await tooltip.innerText()).includes(codeLevel)) {
      expect(await tooltip.innerText()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s/);
      return;
    }
  }
  throw new Error(`No tooltip of the panel Tests passing names ${codeLevel}`);
}

export async function followsLink(page: Page, name: string, pathname: string): Promise<void> {
  await page.getByRole("link", { name }).click();
  await page.waitForURL((url) => url.pathname === pathname);
}

/** The panel with exactly this title. */
export function panel(page: Page, title: string) {
  return page.locator("section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}
