/** Grafana's URL and the stack outputs with its credentials. */
export interface GrafanaClient {
  url: string;
  outputs: Record<string, unknown>;
}

/** Runs an instant query through Grafana's query API and its data source `my-prom`. @returns the values */
export async function queryGrafana(
  grafana: string,
  outputs: Record<string, unknown>,
  expr: string,
): Promise<number[]> {
  const client = { url: grafana, outputs };
  const { uid } = await requestGrafana<{ uid: string }>(client, "/api/datasources/name/my-prom");
  const query = { refId: "A", datasource: { uid }, expr, instant: true };
  const { results } = await requestGrafana<{
    results: { A: { error?: string; frames?: { data: { values: number[][] } }[] } };
  }>(client, "/api/ds/query", { queries: [query], from: "now-5m", to: "now" });
  if (results.A.error !== undefined) throw new Error(`Grafana's data source returned: ${results.A.error}`);
  return (results.A.frames ?? []).flatMap(({ data }) => data.values[1] ?? []);
}

/**
 * Sends a request to Grafana's API.
 *
 * @throws Error when the status is not 2xx
 */
export async function requestGrafana<T>(client: GrafanaClient, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${client.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...basicAuth(client.outputs), "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok)
    throw new Error(`Grafana returned ${response.status} for ${path}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** Returns the Authorization header of Grafana's administrator. */
export function basicAuth(outputs: Record<string, unknown>): { Authorization: string } {
  const credentials = `${String(outputs.GRAFANA_USER)}:${String(outputs.GRAFANA_PASSWORD)}`;
  return { Authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}
