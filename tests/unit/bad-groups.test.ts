import { expect, test } from "vitest";
import { badGroups } from "../../tools/smoke/bad-groups.ts";

const family = { metrics: [{}] };
const good = { labels: { job: "k8sfv" }, a_metric: family, push_time_seconds: family };
const page = "# TYPE a_metric gauge\na_metric 1\n# TYPE push_time_seconds gauge\n";

test("returns no group for a complete metrics page, although a family without metrics is missing on it", () => {
  expect(badGroups(page, [good, { labels: { job: "b" }, empty: { metrics: [] } }])).toEqual([]);
});

test("returns the group of the first missing family in order of name", () => {
  const odd = { labels: { job: "odd", branch: "a/b" }, "": family, z_metric: family };
  expect(badGroups("", [good, odd])).toEqual(["/metrics/job/odd/branch@base64/YS9i"]);
  const cut = { labels: { job: "cut" }, z_metric: family };
  expect(badGroups(page, [good, cut])).toEqual(["/metrics/job/cut"]);
});

test("returns a group with an empty label value if the metrics page fails", () => {
  const empty = { labels: { job: "k8sfv", instance: "" }, push_time_seconds: family };
  expect(badGroups(undefined, [good, empty])).toEqual(["/metrics/job/k8sfv/instance@base64/="]);
});
