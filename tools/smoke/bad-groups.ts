import type { Connection } from "./connections.ts";

interface Group {
  labels?: Record<string, string>;
  [family: string]: unknown;
}

/** Explains why a Pushgateway's metrics can't be read. @returns undefined when they can be read */
export async function explainExposition(gateway: Connection): Promise<string | undefined> {
  const page = await gateway.request("/metrics");
  const api = await gateway.request("/api/v1/metrics");
  if (!api.ok) return undefined;
  const { data } = JSON.parse(api.text) as { data: Group[] };
  const groups = badGroups(page.ok ? page.text : undefined, data);
  if (page.ok && groups.length === 0) return undefined;
  const symptom = page.ok ? "its metrics page is incomplete" : page.text.trim().slice(0, 300);
  const which = groups.length === 0 ? "no group could be identified" : `delete group ${groups.join(" or ")}`;
  return `${symptom}; ${which} (docs/operations.md, PushgatewayExpositionInvalid)`;
}

/**
 * Returns the groups that break a Pushgateway's metrics page.
 *
 * If the page ends early: the Pushgateway writes metric families in order of name and stops at the first one that it
 * can't write, so these are the groups with the first missing family.
 *
 * If the request fails: these are the groups in which a label value is empty or contains U+FFFD. An empty label value
 * makes the group's series equal to those of a group without the label. U+FFFD stands in the API's JSON for bytes that
 * aren't valid UTF-8.
 *
 * @param page the metrics page; undefined if the request failed
 * @returns paths of the groups
 */
export function badGroups(page: string | undefined, groups: Group[]): string[] {
  const bad = page === undefined ? groups.filter(hasEmptyLabel) : groupsOfFirstMissing(page, groups);
  return bad.map(({ labels = {} }) => pathOf(labels));
}

function hasEmptyLabel({ labels = {} }: Group): boolean {
  return Object.values(labels).some((value) => value === "" || value.includes("\ufffd"));
}

function groupsOfFirstMissing(page: string, groups: Group[]): Group[] {
  const exposed = new Set([...page.matchAll(/^# TYPE (\S+) \S+$/gm)].map(([, name]) => name));
  const missing = groups.flatMap((group) =>
    Object.entries(group)
      .filter(([name, family]) => hasMetrics(family) && !exposed.has(name))
      .map(([name]) => ({ name, group })),
  );
  const [first] = missing.map(({ name }) => name).toSorted();
  return missing.filter(({ name }) => name === first).map(({ group }) => group);
}

function hasMetrics(family: unknown): boolean {
  const { metrics } = Object(family) as { metrics?: unknown[] };
  return (metrics?.length ?? 0) > 0;
}

/** Returns a group's path. Values that can't be part of a path are base64-encoded. */
function pathOf({ job = "", ...others }: Record<string, string>): string {
  const segments = Object.entries({ job, ...others }).flatMap(([name, value]) =>
    /^[\w.-]+$/.test(value)
      ? [name, value]
      : [`${name}@base64`, value === "" ? "=" : Buffer.from(value).toString("base64url")],
  );
  return `/metrics/${segments.join("/")}`;
}
