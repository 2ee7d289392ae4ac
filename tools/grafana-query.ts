/** Runs an instant query through Grafana's query API and its data source `my-prom`. @returns the values */
export async function queryGrafana(
  grafana: string,
  outputs: Record<string, unknown>,
  expr: string,
): Promise<number[]> {
  const headers = { ...basicAuth(outputs), "Content-Type": "application/json" };
  const source = await fetch(`${grafana}/api/datasources/name/my-prom`, { headers });
  if (!source.ok) {
    throw new Error(`Grafana returned ${source.status} for data source my-prom: ${await source.text()}`);
  }
  const { uid } = (await source.json()) as { uid: string };
  const query = { refId: "A", datasource: { uid }, expr, instant: true };
  const response = await fetch(`${grafana}/api/ds/query`, {
    method: "POST",
    headers,
    body: JSON.stringify({ queries: [query], from: "now-5m", to: "now" }),
  });
  if (!response.ok) throw new Error(`Grafana returned ${response.status}: ${await response.text()}`);
  const { results } = (await response.json()) as {
    results: { A: { error?: string; frames?: { data: { values: number[][] } }[] } };
  };
  if (results.A.error !== undefined) throw new Error(`Grafana's data source returned: ${results.A.error}`);
  return (results.A.frames ?? []).flatMap(({ data }) => data.values[1] ?? []);
}

/** Returns the Authorization header of Grafana's administrator. */
export function basicAuth(outputs: Record<string, unknown>): { Authorization: string } {
  const credentials = `${String(outputs.GRAFANA_USER)}:${String(outputs.GRAFANA_PASSWORD)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
