import type { Page, Request } from "playwright-core";
import { expect } from "vitest";
import { panelsLoaded } from "k8sfv-local-cloud";

/** A Grafana with the project's dashboards and runs of several code levels. */
export interface Subject {
  url: string;
  user: string;
  password: string;
  /** Code level to select, with runs in the last 30 days. */
  codeLevel: string;
  /**
   * Whether the code level's last run is only minutes old. A graph of 30 days has a point every half hour,
   * and none yet for that run, so the tooltip is not checked.
   *
   * @default false
   */
  isNew?: boolean;
}

/** Timeout in ms for a page and its queries on a busy computer. */
export const TIMEOUT_MS = 120_000;

/**
 * Acts like an engineer on the morning after a nightly run: opens the summary, signs in, looks at the results, selects
 * a code level, selects the last 30 days, hovers over a graph and follows a link to another dashboard.
 */
export async function visitAsEngineer(page: Page, subject: Subject): Promise<void> {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error.stack ?? error)));
  await page.goto(`${subject.url}/d/k8sfv-summary?from=now-7d&to=now`);
  await signIn(page, subject);
  await page.getByText("stand-in for Grafana, not Grafana").waitFor();
  await checkResults(page);
  await selectCodeLevel(page, subject.codeLevel);
  await selectLast30Days(page);
  if (subject.isNew !== true) await hoverOverGraph(page, subject.codeLevel);
  await followLink(page, "k8s scale testing", "/d/k8s-scale-testing");
  await waitForParameter(page, "from", "now-30d");
  await panel(page, "Workload endpoints").waitFor();
  expect(errors).toEqual([]);
}

/** Signs in on the login page, first with a wrong password. */
async function signIn(page: Page, { user, password }: Subject): Promise<void> {
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

async function checkResults(page: Page): Promise<void> {
  const results = panel(page, "Last result of each test");
  await results.getByText("pass", { exact: true }).first().waitFor();
  await results.getByRole("columnheader", { name: /^Test/ }).waitFor();
  await panel(page, "Tests passing in the last nightly run").getByText("%").first().waitFor();
}

/** Selects one code level instead of all, and checks that all queries select only this one. */
async function selectCodeLevel(page: Page, codeLevel: string): Promise<void> {
  const requested: string[] = [];
  const listen = (request: Request) => requested.push(...expressions(request));
  page.on("request", listen);
  await page.getByRole("combobox").first().click();
  await page.getByRole("option", { name: codeLevel, exact: true }).click();
  // `code_level` is a multi-value variable, so the page applies the selection only when the list closes. This click closes
  // the list. It uses coordinates, because another element covers everything around the list.
  await page.mouse.click(4, 600);
  await waitForParameter(page, "var-code_level", codeLevel);
  await expect.poll(() => requested.length, { timeout: TIMEOUT_MS }).toBeGreaterThan(10);
  page.off("request", listen);
  const escaped = codeLevel.replaceAll(/[.]/g, "\\$&");
  expect(requested.filter((expr) => expr.includes("nightly:") && !expr.includes(`=~\`${escaped}\``))).toEqual(
    [],
  );
  const levels = panel(page, "Last result of each test").getByRole("gridcell");
  await expect.poll(() => levels.allTextContents(), { timeout: TIMEOUT_MS }).toContain(codeLevel);
}

async function waitForParameter(page: Page, parameter: string, value: string): Promise<void> {
  const found = () => new URL(page.url()).searchParams.getAll(parameter);
  await expect.poll(found, { timeout: TIMEOUT_MS }).toEqual([value]);
}

/** Returns the PromQL expressions in a request of a panel; empty for other requests. */
export function expressions(request: Request): string[] {
  if (!request.url().includes("/api/ds/query")) return [];
  const { queries } = request.postDataJSON() as { queries: { refId: string; expr: string }[] };
  return queries.filter(({ refId }) => refId !== "Anno").map(({ expr }) => expr);
}

async function selectLast30Days(page: Page): Promise<void> {
  await page.getByTestId("data-testid TimePicker Open Button").click();
  await page.getByText("Last 30 days", { exact: true }).click();
  await waitForParameter(page, "from", "now-30d");
  await panelsLoaded(page);
}

/** Hovers over the end of a graph until a tooltip names the code level. */
async function hoverOverGraph(page: Page, codeLevel: string): Promise<void> {
  const plot = panel(page, "Tests passing").locator(".u-over");
  await plot.scrollIntoViewIfNeeded();
  const tooltip = page.getByTestId("data-testid viz-tooltip-wrapper");
  const box = await plot.boundingBox();
  if (box === null) throw new Error("The panel Tests passing has no plot");
  // The tooltip names a series only near one of its points, so the mouse moves left from the graph's end until it finds
  // one.
  for (let x = box.x + box.width - 1; x > box.x; x -= 5) {
    await page.mouse.move(x, box.y + box.height / 2);
    await page.waitForTimeout(100);
    if ((await tooltip.count()) > 0 && (await tooltip.innerText()).includes(codeLevel)) {
      expect(await tooltip.innerText()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s/);
      return;
    }
  }
  throw new Error(`No tooltip of the panel Tests passing contains ${codeLevel}`);
}

export async function followLink(page: Page, name: string, pathname: string): Promise<void> {
  await page.getByRole("link", { name }).click();
  await page.waitForURL((url) => url.pathname === pathname);
}

/** Returns the panel with exactly this title. */
export function panel(page: Page, title: string) {
  return page.locator("section").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
}
