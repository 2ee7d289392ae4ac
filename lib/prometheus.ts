/** Sends a GET request to Prometheus's API and returns its data. */
export async function ask<T>(prometheus: string, path: string): Promise<T> {
  const response = await fetch(`${prometheus}/api/v1${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { data: T }).data;
}

/** Returns the metric names in an expression, by Prometheus's own parser. */
export async function metricsOf(prometheus: string, expr: string): Promise<string[]> {
  const tree = await ask<unknown>(prometheus, `/parse_query?query=${encodeURIComponent(expr)}`);
  const names: string[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, name } = node as { type?: string; name?: string };
    if ((type === "vectorSelector" || type === "matrixSelector") && name !== undefined) names.push(name);
    Object.values(node).forEach(walk);
  };
  walk(tree);
  return names;
}
