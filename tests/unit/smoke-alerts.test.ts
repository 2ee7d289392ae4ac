import { expect, test } from "vitest";
import { checkConnected, seeWatchdog } from "../../tools/smoke/alerts.ts";
import { targetOf } from "../../tools/smoke/parts.ts";
import { openDirectly, type Way } from "../../tools/smoke/ways.ts";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const never = new AbortController().signal;

/** A way to a workload that answers these paths, without their queries, with these objects, and others with 503. */
function answering(answers: Record<string, object>): Way {
  return {
    url: "",
    close: () => undefined,
    ask: (path) => {
      const answer = answers[path.split("?")[0] ?? ""];
      return Promise.resolve(
        answer === undefined
          ? { ok: false, status: 503, text: "not now\n" }
          : { ok: true, status: 200, text: JSON.stringify(answer) },
      );
    },
  };
}

const connectedTo = (...urls: string[]) =>
  answering({ "/api/v1/alertmanagers": { data: { activeAlertmanagers: urls.map((url) => ({ url })) } } });

test("a Prometheus with an Alertmanager is connected", async () => {
  await checkConnected(connectedTo("http://10.0.0.1:9093/api/v2/alerts"));
});

test("a Prometheus without one is not, and the message names the endpoints and the runbook", async () => {
  const connected = checkConnected(connectedTo());
  await expect(connected).rejects.toThrow(
    /knows no Alertmanager.*endpointslices.*alertmanager.*PrometheusNotConnectedToAlertmanagers/,
  );
});

const holding = (...alerts: object[]) => answering({ "/api/v2/alerts": alerts });
const ruled = (...rules: object[]) => answering({ "/api/v1/rules": { data: { groups: [{ rules }] } } });

test("a Watchdog in Alertmanager is the end of the chain", async () => {
  await seeWatchdog({ prometheus: ruled(), alertmanager: holding({}) }, never, 0);
});

test.each<[string, Way, RegExp]>([
  ["the rule is not loaded", ruled(), /Prometheus has no such rule.*PrometheusOperatorRejectedResources/],
  ["the rule fails", ruled({ name: "Watchdog", health: "err", lastError: "parse error" }), /parse error/],
  [
    "the rule was not evaluated",
    ruled({ name: "Watchdog", health: "unknown" }),
    /not evaluated the rule yet/,
  ],
  [
    "it is not sent",
    ruled({ name: "Watchdog", health: "ok", alerts: [{ state: "firing" }] }),
    /fires in Prometheus, which fails to send it.*logs prometheus-k8sfv-0/,
  ],
  ["Prometheus doesn't answer", answering({}), /Prometheus answers \/api\/v1\/rules with 503/],
])("without a Watchdog in Alertmanager the message names the broken link: %s", async (_, prometheus, why) => {
  await expect(seeWatchdog({ prometheus, alertmanager: holding() }, never, 0)).rejects.toThrow(why);
});

test("an Alertmanager that answers with an error is named with its status", async () => {
  const ways = { prometheus: ruled(), alertmanager: answering({}) };
  await expect(seeWatchdog(ways, never, 0)).rejects.toThrow("it answers /api/v2/alerts with 503: not now");
});

test("Ctrl-C ends the wait for the Watchdog", async () => {
  const stop = new AbortController();
  const seen = seeWatchdog({ prometheus: ruled(), alertmanager: holding() }, stop.signal, 60_000);
  stop.abort(new Error("stopped by Ctrl-C"));
  await expect(seen).rejects.toThrow();
});

test("inside the VPC Alertmanager is asked by Grafana's data source, with Grafana's password", async () => {
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
  const way = await openDirectly(alertmanager);
  const { text } = await way.ask(alertmanager.readyPath);
  server.close();
  const login = Buffer.from("admin:hidden").toString("base64");
  expect(text).toBe(`/api/alertmanager/my-alertmanager/api/v2/status Basic ${login}`);
});
