import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { VERSION } from "./core/version.ts";

/** The server's own metrics. Metrics that Grafana also has have the same names. */
export class Metrics {
  readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: "grafana_http_request_duration_seconds",
    help: "Duration of HTTP requests",
    labelNames: ["handler", "method", "status_code"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: "grafana_build_info",
      help: "1, with the version of Grafana's API that this stand-in emulates",
      labelNames: ["version", "edition"],
      registers: [this.registry],
    }).set({ version: VERSION, edition: "stand-in" }, 1);
  }

  /** Measures requests by route, so that paths with identifiers share a series. */
  middleware(): MiddlewareHandler {
    return async (c, next) => {
      const end = this.requests.startTimer();
      await next();
      end({ handler: routePath(c, -1), method: c.req.method, status_code: c.res.status });
    };
  }
}
