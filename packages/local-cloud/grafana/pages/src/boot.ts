/**
 * Settings that Grafana's server writes into its page and that Grafana's libraries read at import time. This module
 * must be imported before any of these libraries.
 */
const grafanaBootData = {
  assets: { dark: "", light: "" },
  navTree: [],
  settings: {
    appSubUrl: "",
    // Version of Grafana, the same as that of the packages @grafana/* except @grafana/scenes. The behavior of scenes
    // depends on it.
    buildInfo: { version: "13.2.3", commit: "", env: "production" },
    featureToggles: {},
    minRefreshInterval: "5s",
  },
  user: { theme: "dark", timezone: "browser", weekStart: "", locale: "en-US" },
};

Object.assign(window, { grafanaBootData, __grafana_public_path__: "public/" });

export {};
