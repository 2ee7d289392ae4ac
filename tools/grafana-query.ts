/** The values of an instant query, through Grafana's own query API and its data source `my-prom`. */
export async function queryGrafana(
  grafana: string,
  outputs: Record<string, unknown>,
  expr: string,
): Promise<number[]> {
  const headers = { ...basicAuth(outputs), "Content-Type": "application/json" };
  const source = await fetch(`${grafana}/api/datasources/name/my-prom`, { headers });
  if (!source.ok) {
    throw new Error(`Grafana answered ${source.status} for the data source my-prom: ${await source.text()}`);
  }
  const { uid } = (await source.json()) as { uid: string };
  const query = { refId: "A", datasource: { uid }, expr, instant: true };
  const response = await fetch(`${grafana}/api/ds/query`, {
    method: "POST",
    headers,
    body: JSON.stringify({ queries: [query], from: "now-5m", to: "now" }),
  });
  if (!response.ok) throw new Error(`Grafana answered ${response.status}: ${await response.text()}`);
  const { results } = (await response.json()) as {
    results: { A: { error?: string; frames?: { data: { values: number[][] } }[] } };
  };
  if (results.A.error !== undefined) throw new Error(`Grafana's data source answered: ${results.A.error}`);
  return (results.A.frames ?? []).flatMap(({ data }) => data.values[1] ?? []);
}

/** The header that makes a request one of Grafana's administrator. */
export function basicAuth(outputs: Record<string, unknown>): { Authorization: string } {
  const credentials = `${String(outputs.GRAFANA_USER)}:${String(outputs.GRAFANA_PASSWORD)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
