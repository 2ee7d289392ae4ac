import { expect, test } from "vitest";
import { reachableFromVpc } from "./forwards.ts";

const always = {
  GRAFANA_URL: "http://10.248.1.7:3000",
  PROMETHEUS_URL: "http://10.248.1.6:9090",
  PROMPG_ADDRESS: "10.248.1.4",
};

test.each([
  ["internal", { PROMPG_URL: "http://10.248.1.4:9091" }, ["10.248.1.4:9091"]],
  ["internal, with a password", { PROMPG_URL: "http://ci:x@10.248.1.4:9091" }, ["10.248.1.4:9091"]],
  ["external", { PROMPG_URL: "https://ci:x@push.example.com", PROMPG_ADDRESS: "203.0.113.7" }, []],
  ["in-cluster", {}, []],
])(
  "forwards to a Pushgateway with exposure %s only if it is reachable from the VPC",
  (_exposure, outputs, expected) => {
    const found = reachableFromVpc({ ...always, ...outputs }).map(({ host }) => host);
    expect(found).toEqual(["10.248.1.7:3000", "10.248.1.6:9090", ...expected]);
  },
);
