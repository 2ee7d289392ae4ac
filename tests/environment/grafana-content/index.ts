import { Config } from "@pulumi/pulumi";
import { Dashboard } from "@pulumiverse/grafana/oss/dashboard.js";
import { DataSource } from "@pulumiverse/grafana/oss/dataSource.js";
import { Folder } from "@pulumiverse/grafana/oss/folder.js";
import { Provider } from "@pulumiverse/grafana/provider.js";

const config = new Config();
const kept = config.requireObject<string[]>("kept");
const name = config.require("name");
const isImport = config.getBoolean("import") === true;

const provider = new Provider("grafana", {
  url: config.require("url"),
  auth: config.requireSecret("auth"),
  retries: 0,
});
const opts = (uid: string) => ({ provider, ...(isImport ? { import: uid } : {}) });

if (kept.includes("data source")) {
  new DataSource(
    "data-source",
    {
      type: "prometheus",
      name,
      uid: "source",
      url: `http://${name}:9090`,
      isDefault: true,
      jsonDataEncoded: JSON.stringify({ httpMethod: "POST", timeInterval: "10s", manageAlerts: false }),
    },
    opts("source"),
  );
}
const folder = kept.includes("folder")
  ? new Folder("folder", { title: name, uid: "folder" }, opts("folder"))
  : undefined;
if (kept.includes("dashboard")) {
  const dashboard = {
    title: name,
    uid: "dashboard",
    schemaVersion: 39,
    tags: ["contract"],
    panels: [{ id: 1, title: name }],
  };
  new Dashboard(
    "dashboard",
    { folder: folder?.uid, configJson: JSON.stringify(dashboard), overwrite: config.getBoolean("overwrite") },
    opts("dashboard"),
  );
}
