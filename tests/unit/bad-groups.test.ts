import { expect, test } from "vitest";
import { badGroups } from "../../tools/smoke/bad-groups.ts";

const family = { metrics: [{}] };
const good = { labels: { job: "k8sfv" }, a_metric: family, push_time_seconds: family };
const page = "# TYPE a_metric gauge\na_metric 1\n# TYPE push_time_seconds gauge\n";

test("a whole page has no bad group, and a family without metrics is not missing", () => {
  expect(badGroups(page, [good, { labels: { job: "b" }, empty: { metrics: [] } }])).toEqual([]);
});

test("the first family that is missing tells the group", () => {
  const odd = { labels: { job: "odd", branch: "a/b" }, "": family, z_metric: family };
  expect(badGroups("", [good, odd])).toEqual(["/metrics/job/odd/branch@base64/YS9i"]);
  const cut = { labels: { job: "cut" }, z_metric: family };
  expect(badGroups(page, [good, cut])).toEqual(["/metrics/job/cut"]);
});

test("a page that fails is due to a label without a value", () => {
  const empty = { labels: { job: "k8sfv", instance: "" }, push_time_seconds: family };
  expect(badGroups(undefined, [good, empty])).toEqual(["/metrics/job/k8sfv/instance@base64/="]);
});
