import path from "node:path";
import { openCloud } from "../hosts/cloud.ts";
import { serve } from "../plugin/serve.ts";
import { pluginVersion } from "../plugin/version.ts";
import { Api } from "./api.ts";
import { FaultInjector } from "./faults.ts";
import { localInfrastructure, localLimits } from "./local-infrastructure.ts";
import { GoogleProvider } from "./provider.ts";
import { Store } from "./model/store.ts";

const cloud = openCloud(process.env["K8SFV_CLOUD"] ?? "local");
const store = new Store(cloud.googleFile);
const faults = new FaultInjector(
  process.env["K8SFV_CLOUD_FAULTS"] ?? path.join(cloud.dir, "faults.json"),
  store,
);
const { disksDir, snapshotsDir } = cloud;
const api = new Api(store, faults, {
  machines: localInfrastructure(cloud),
  limits: localLimits,
  disksDir,
  snapshotsDir,
});

await serve(new GoogleProvider(pluginVersion("@pulumi/gcp"), api));
