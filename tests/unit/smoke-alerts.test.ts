import { expect, test } from "vitest";
import { checkConnected, waitForWatchdog } from "../../tools/smoke/alerts.ts";
import { targetOf } from "../../tools/smoke/components.ts";
import { connectDirectly, type Connection } from "../../tools/smoke/connections.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const never = new AbortController().signal;

/**
 * Returns a fake connection to a workload. It responds with the object for the request's path, whatever the
 * query string is, and with 503 to all other paths.
 */
function connectionWith(responses: Record<string, object>): Connection {
  return {
    url: "",
    close: () => undefined,
    request: (path) => {
      const response = responses[path.split("?")[0] ?? ""];
      return Promise.resolve(
        response === undefined
          ? { ok: false, status: 503, text: "not now\n" }
          : { ok: true, status: 200, text: JSON.stringify(response) },
      );
    },
  };
}

const connectedTo = (...urls: string[]) =>
  connectionWith({
    "/api/v1/alertmanagers": { data: { activeAlertmanagers: urls.map((url) => ({ url })) } },
  });

test("accepts a Prometheus with an active Alertmanager", async () => {
  await checkConnected(connectedTo("http://10.0.0.1:9093/api/v2/alerts"));
});

test("reports a Prometheus without an active Alertmanager, with the EndpointSlices to look at and the runbook", async () => {
  const connected = checkConnected(connectedTo());
  await expect(connected).rejects.toThrow(
    /has no active Alertmanager.*endpointslices.*alertmanager.*PrometheusNotConnectedToAlertmanagers/,
  );
});

const holding = (...alerts: object[]) => connectionWith({ "/api/v2/alerts": alerts });
const ruled = (...rules: object[]) => connectionWith({ "/api/v1/rules": { data: { groups: [{ rules }] } } });

test("succeeds if Alertmanager has the alert Watchdog", async () => {
  await waitForWatchdog({ prometheus: ruled(), alertmanager: holding({}) }, never, 0);
});

test.each<[string, Connection, RegExp]>([
  ["the rule is not loaded", ruled(), /Prometheus has no such rule.*PrometheusOperatorRejectedResources/],
  ["the rule fails", ruled({ name: "Watchdog", health: "err", lastError: "parse error" }), /parse error/],
  [
    "the rule was not evaluated",
    ruled({ name: "Watchdog", health: "unknown" }),
    /not evaluated the rule yet/,
  ],
  [
    "Prometheus fails to send the alert",
    ruled({ name: "Watchdog", health: "ok", alerts: [{ state: "firing" }] }),
    /fires in Prometheus, which fails to send it.*logs prometheus-k8sfv-0/,
  ],
  [
    "Prometheus responds with an error",
    connectionWith({}),
    /Prometheus responds to \/api\/v1\/rules with 503/,
  ],
])("reports the reason if Alertmanager does not have the alert Watchdog: %s", async (_, prometheus, why) => {
  await expect(waitForWatchdog({ prometheus, alertmanager: holding() }, never, 0)).rejects.toThrow(why);
});

test("reports the status if Alertmanager responds with an error", async () => {
  const connections = { prometheus: ruled(), alertmanager: connectionWith({}) };
  await expect(waitForWatchdog(connections, never, 0)).rejects.toThrow(
    "it responds to /api/v2/alerts with 503: not now",
  );
});

test("stops waiting for the Watchdog at Ctrl-C", async () => {
  const stop = new AbortController();
  const seen = waitForWatchdog({ prometheus: ruled(), alertmanager: holding() }, stop.signal, 60_000);
  stop.abort(new Error("stopped by Ctrl-C"));
  await expect(seen).rejects.toThrow();
});

test("queries Alertmanager in the VPC through Grafana's data source with Grafana's password", async () => {
  const server = createServer((request, response) => {
    response.end(`${request.url} ${request.headers.authorization}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { alertmanager } = targetOf({
    PROMPG_URL_IN_CLUSTER: "http://prom-gateway.monitoring:9091",
    PROMETHEUS_URL: "http://10.248.1.6:9090",
    GRAFANA_URL: `http://127.0.0.1:${port}`,
    GRAFANA_USER: "admin",
    GRAFANA_PASSWORD: "hidden",
    KUBECONFIG_YAML: "{}",
  });
  // Alertmanager itself must not get Grafana's password.
  expect(alertmanager.headers).toEqual({});
  const connection = await connectDirectly(alertmanager);
  const { text } = await connection.request(alertmanager.readyPath);
  server.close();
  const login = Buffer.from("admin:hidden").toString("base64");
  expect(text).toBe(`/api/alertmanager/my-alertmanager/api/v2/status Basic ${login}`);
});
