import type { Way } from "./ways.ts";

interface Group {
  labels?: Record<string, string>;
  [family: string]: unknown;
}

/** Why a Pushgateway's metrics can't be read, with the group to delete. @returns undefined when they can be */
export async function explainExposition(gateway: Way): Promise<string | undefined> {
  const page = await gateway.ask("/metrics");
  const api = await gateway.ask("/api/v1/metrics");
  if (!api.ok) return undefined;
  const { data } = JSON.parse(api.text) as { data: Group[] };
  const groups = badGroups(page.ok ? page.text : undefined, data);
  if (page.ok && groups.length === 0) return undefined;
  const said = page.ok ? "its page of metrics is not whole" : page.text.trim().slice(0, 300);
  const which = groups.length === 0 ? "no group could be identified" : `delete group ${groups.join(" or ")}`;
  return `${said}; ${which} (docs/operations.md, PushgatewayExpositionInvalid)`;
}

/**
 * Groups that keep a Pushgateway from showing its metrics. It writes families in the order of their names and stops at one
 * that it can't write, so that is the first that is missing; and it fails as a whole for a label without a value, which it
 * can't tell from a missing label.
 *
 * @param page - its metrics; undefined when it answers with an error
 * @returns their paths
 */
export function badGroups(page: string | undefined, groups: Group[]): string[] {
  const bad = page === undefined ? groups.filter(hasEmptyLabel) : groupsOfFirstMissing(page, groups);
  return bad.map(({ labels = {} }) => pathOf(labels));
}

function hasEmptyLabel({ labels = {} }: Group): boolean {
  return Object.values(labels).some((value) => value === "" || value.includes("\ufffd"));
}

function groupsOfFirstMissing(page: string, groups: Group[]): Group[] {
  const shown = new Set([...page.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name]) => name));
  const missing = groups.flatMap((group) =>
    Object.entries(group)
      .filter(([name, family]) => hasMetrics(family) && !shown.has(name))
      .map(([name]) => ({ name, group })),
  );
  const [first] = missing.map(({ name }) => name).toSorted();
  return missing.filter(({ name }) => name === first).map(({ group }) => group);
}

function hasMetrics(family: unknown): boolean {
  const { metrics } = Object(family) as { metrics?: unknown[] };
  return (metrics?.length ?? 0) > 0;
}

/** The path of a group; values that can't stand in one are in base64. */
function pathOf({ job = "", ...others }: Record<string, string>): string {
  const segments = Object.entries({ job, ...others }).flatMap(([name, value]) =>
    /^[\w.-]+$/.test(value)
      ? [name, value]
      : [`${name}@base64`, value === "" ? "=" : Buffer.from(value).toString("base64url")],
  );
  return `/metrics/${segments.join("/")}`;
}
