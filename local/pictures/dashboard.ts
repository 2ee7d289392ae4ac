import type { Dashboard } from "../../monitoring-mixin/dashboards/index.ts";
import { askPanel, openVariables, panelsOf } from "../panels.ts";
import type { GrafanaClient, Range } from "../panels.ts";
import type { Answered, Drawn } from "./panel.ts";
import { drawPanel, text } from "./panel.ts";

/** A column and a row of the grid, in pixels, and what is left free around a panel. */
const [COLUMN, ROW, GAP, TITLE, TOP] = [55, 36, 6, 24, 40];

/** Draws a dashboard as one SVG picture: its own panels, with what Grafana answers to their queries. */
export async function drawDashboard(
  client: GrafanaClient,
  dashboard: Dashboard,
  range: Range,
): Promise<string> {
  const variables = await openVariables(client, dashboard, range);
  const answers: Answered[] = [];
  for (const panel of panelsOf(dashboard)) {
    const frames = await askPanel(client, panel, variables, range);
    answers.push({ panel: panel as Answered["panel"], frames, range });
  }
  const width = 24 * COLUMN + GAP;
  const height =
    TOP + ROW * Math.max(...answers.map(({ panel: { gridPos } }) => gridPos.y + gridPos.h)) + GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#f4f5f5"/>`,
    text(GAP * 2, 27, dashboard.title, { size: 20, bold: true }),
    ...answers.map(place),
    "</svg>\n",
  ].join("\n");
}

function place(answered: Answered): string {
  const { title, gridPos } = answered.panel as { title: string } & Drawn;
  const [x, y] = [gridPos.x * COLUMN + GAP, TOP + gridPos.y * ROW];
  const [width, height] = [gridPos.w * COLUMN - GAP, gridPos.h * ROW - GAP];
  const inside = drawPanel(answered, [width - 2 * GAP, height - TITLE - 2 * GAP]);
  return [
    `<g transform="translate(${x} ${y})">`,
    `<rect width="${width}" height="${height}" fill="#ffffff" stroke="#d8d9da" rx="3"/>`,
    text(10, 17, title, { size: 13, bold: true }),
    `<g transform="translate(${GAP} ${TITLE + GAP})">${inside}</g>`,
    "</g>",
  ].join("\n");
}
