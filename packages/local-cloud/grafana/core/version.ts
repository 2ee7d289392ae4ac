import { images } from "../../project/images.ts";

/** Version of Grafana whose API the stand-in emulates: the one in production. */
export const VERSION = images.grafana.split("@")[0]?.split(":").at(-1) ?? "";

/** Description of the stand-in in its pages and API. */
export const STAND_IN =
  "This is not Grafana: it is the stand-in of k8sfv-metrics' local cloud, which implements a part of Grafana's API.";
