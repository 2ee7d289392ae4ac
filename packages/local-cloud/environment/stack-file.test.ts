import { expect, test } from "vitest";
import { cloudStackFile } from "./stack-file.ts";

const key = "k8sfv-metrics:grafana";

test("merges Pulumi.local.yaml with the cloud's own tunnel port and encryption salt", () => {
  const wanted = { config: { [key]: { anonymousViewer: true }, other: "new" } };
  const first = cloudStackFile(wanted, {}, 40001);
  expect(first).toEqual({ config: { [key]: { anonymousViewer: true, tunnelPort: 40001 }, other: "new" } });
  const before = { encryptionsalt: "v1:salt", config: { ...first.config, other: "old" } };
  const now = { config: { [key]: { access: "direct" }, other: "new" } };
  expect(cloudStackFile(now, before, 40002)).toEqual({
    encryptionsalt: "v1:salt",
    config: { [key]: { access: "direct", tunnelPort: 40001 }, other: "new" },
  });
  expect(cloudStackFile({ config: { [key]: { tunnelPort: 33000 } } }, before, 40002).config[key]).toEqual({
    tunnelPort: 33000,
  });
});

test("overrides pinned images with names without digests", () => {
  const images = "k8sfv-metrics:images";
  const pinned = {
    grafana: `docker.io/grafana/grafana:13.2.3@sha256:${"0".repeat(64)}`,
    prometheus: `quay.io/prometheus/prometheus:v3.16.0@sha256:${"0".repeat(64)}`,
  };
  const wanted = { config: { [images]: { grafana: "localhost/grafana:1.0.0" } } };
  expect(cloudStackFile(wanted, {}, 40001, pinned).config[images]).toEqual({
    grafana: "localhost/grafana:1.0.0",
    prometheus: "quay.io/prometheus/prometheus:v3.16.0",
  });
});
