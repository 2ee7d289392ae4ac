import { images } from "../../../versions.ts";

/** The version of Grafana whose API the stand-in answers: production's. */
export const VERSION = images.grafana.split("@")[0]?.split(":").at(-1) ?? "";

/** What the stand-in says of itself. */
export const STAND_IN =
  "This is not Grafana: it is the stand-in of k8sfv-metrics' local cloud, which answers a part of Grafana's API.";
