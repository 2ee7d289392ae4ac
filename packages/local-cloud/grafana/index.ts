/** The stand-in for Grafana: its server, image and pages. */
export { readSettings } from "./core/settings.ts";
export { grafanaStandIn } from "./image.ts";
export { ensurePages, type Pages } from "./pages/build.ts";
export { startServer, type Running } from "./server.ts";
