import fc from "fast-check";
import { expect, test } from "vitest";
import { groupOf } from "../../components/push-guard/group.mjs";

/** Labels of a group, the job first. */
const labels = fc
  .tuple(
    fc.string({ minLength: 1 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.string(), { maxKeys: 4 }),
  )
  .map(([job, others]): [string, string][] => [
    ["job", job],
    ...Object.entries(others).filter(([name]) => name !== "job"),
  ]);

const NONE: [string, string] = ["job", ""];

/** A path that names the group: the job first, the others as they come, all encoded as Go's client does. */
function pathOf(pairs: [string, string][]): string {
  const words = pairs.flatMap(([name, value]) => {
    if (value !== "" && !value.includes("/")) return [name, encodeURIComponent(value)];
    return [`${name}@base64`, value === "" ? "=" : Buffer.from(value).toString("base64url")];
  });
  return `/metrics/${words.join("/")}`;
}

test("a group is the same in whichever order its path has the labels, and however they are encoded", () => {
  fc.assert(
    fc.property(labels, fc.boolean(), ([job = NONE, ...others], slash) => {
      const inBase64 = others.map(
        ([name, value]) => `${name}@base64/${Buffer.from(value).toString("base64url")}`,
      );
      const group = groupOf(pathOf([job, ...others]));
      expect(groupOf(`${pathOf([job, ...others.toReversed()])}${slash ? "/" : ""}`)).toBe(group);
      expect(groupOf([pathOf([job]), ...inBase64].join("/"))).toBe(group);
      expect(groupOf(`${pathOf([job, ...others])}?x=y`)).toBe(group);
    }),
  );
});

test("other labels are another group", () => {
  fc.assert(
    fc.property(labels, labels, (one, other) => {
      const same = JSON.stringify(one.toSorted()) === JSON.stringify(other.toSorted());
      expect(groupOf(pathOf(one)) === groupOf(pathOf(other))).toBe(same);
    }),
  );
});

test("what is no such path is itself", () => {
  expect(groupOf("/metrics/job/%")).toBe("/metrics/job/%");
});
