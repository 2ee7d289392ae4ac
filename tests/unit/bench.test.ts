import { expect, test } from "vitest";
import { page } from "../../bench/page.ts";
import { quantile } from "../../bench/statistics.ts";
import { durations, longestPath } from "../../bench/up.ts";

test("returns one of the values as the quantile, without interpolation", () => {
  const values = Array.from({ length: 100 }, (_, at) => 100 - at);
  expect(quantile(values, 0.5)).toBe(50);
  expect(quantile(values, 0.99)).toBe(99);
  expect(quantile([7], 0.99)).toBe(7);
});

test("finds the longest path along dependencies, providers and parents", () => {
  // The parent of `pod` is the component `app`. A component has no duration of its own: its events only
  // enclose those of its children.
  const type = (name: string) => (name === "app" ? "k8sfv:app:App" : "k8sfv:app:App$t:t:T");
  const urn = (name: string) => `urn:pulumi:s::p::${type(name)}::${name}`;
  const resources = [
    { urn: urn("network") },
    { urn: urn("cluster"), dependencies: [urn("network")] },
    { urn: urn("provider"), dependencies: [urn("cluster")] },
    { urn: urn("disk") },
    {
      urn: urn("pod"),
      provider: `${urn("provider")}::an-id`,
      dependencies: [urn("disk")],
      parent: urn("app"),
    },
    { urn: urn("app") },
  ];
  const at = (name: string, begun: number, done: number) => [
    { resourcePreEvent: { metadata: { urn: urn(name), op: "create" } }, timestamp: begun },
    { resOutputsEvent: { metadata: { urn: urn(name) } }, timestamp: done },
  ];
  const events = [...at("network", 0, 2), ...at("disk", 0, 9), ...at("cluster", 2, 10), ...at("pod", 10, 13)];
  events.push(...at("app", 0, 13));
  const { length, urns } = longestPath(resources, durations(events));
  expect(length).toBe(13);
  expect(urns).toEqual([urn("network"), urn("cluster"), urn("pod")]);
});

test("writes each measurement with its aim, and with advice for when the aim is missed", () => {
  const text = page(
    [{ what: "a thing", result: "1.5", aim: "≤ 1", from: "3 ÷ 2", cure: "shorten it" }],
    0.25,
    1,
  );
  expect(text).toContain(`Load average before and after: 0.3, 1.0. Node ${process.version}.`);
  expect(text).toContain("| a thing | 1.5 | ≤ 1 | 3 ÷ 2 | shorten it |");
});
