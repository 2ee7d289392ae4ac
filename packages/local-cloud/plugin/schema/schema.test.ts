import { expect, test } from "vitest";
import { UNKNOWN, type Values } from "../values.ts";
import type { Block } from "./argument.ts";
import { differences } from "./differences.ts";
import { validate } from "./validate.ts";
import { complete, predict } from "./values.ts";

/** A type with one argument of each kind. */
const schema: Block = {
  size: { terraformName: "size", type: "TypeInt", required: true },
  selfLink: { terraformName: "self_link", type: "TypeString", computed: true },
  isOn: { terraformName: "is_on", type: "TypeBool", optional: true, default: true },
  interface: {
    terraformName: "interface",
    type: "TypeString",
    optional: true,
    default: "SCSI",
    deprecated: true,
  },
  region: { terraformName: "region", type: "TypeString", optional: true, computed: true, forceNew: true },
  network: { terraformName: "network", type: "TypeString", optional: true, suppressesSomeDiffs: true },
  tags: { terraformName: "tags", type: "TypeSet", optional: true, minItems: 1, maxItems: 2 },
  labels: { terraformName: "labels", type: "TypeMap", optional: true },
  password: { terraformName: "password", type: "TypeString", optional: true, requiredWith: ["user"] },
  user: { terraformName: "user", type: "TypeString", optional: true },
  rules: {
    terraformName: "rule",
    type: "TypeSet",
    optional: true,
    arguments: {
      action: { terraformName: "action", type: "TypeString", required: true, forceNew: true },
      rate: { terraformName: "rate", type: "TypeFloat", optional: true },
    },
  },
  window: {
    terraformName: "window",
    type: "TypeList",
    optional: true,
    maxItems: 1,
    arguments: {
      daily: {
        terraformName: "daily",
        type: "TypeString",
        optional: true,
        exactlyOneOf: ["window.0.daily", "window.0.weekly"],
      },
      weekly: {
        terraformName: "weekly",
        type: "TypeString",
        optional: true,
        exactlyOneOf: ["window.0.daily", "window.0.weekly"],
      },
      hour: { terraformName: "hour", type: "TypeInt", optional: true, default: 4 },
      end: { terraformName: "end", type: "TypeString", computed: true },
    },
  },
};

test.each([
  [{}, ['Missing required argument: The argument "size" is required, but no definition was found.']],
  [{ size: "big" }, ['Incorrect attribute value type: "size" can\'t be "big".']],
  [{ size: "10", labels: { a: "b" }, isOn: "false" }, []],
  [{ size: 1, isOn: 1 }, ['Incorrect attribute value type: "is_on" can\'t be 1.']],
  [{ size: 1, labels: ["a"] }, ['Incorrect attribute value type: "labels" can\'t be ["a"].']],
  [
    { size: 1, window: [{ daily: "x" }] },
    ['Incorrect attribute value type: "window" can\'t be [{"daily":"x"}].'],
  ],
  [
    { size: 1, selfLink: "x" },
    [
      'Value for unconfigurable attribute: Can\'t configure a value for "self_link": its value will be decided automatically based on the result of applying this configuration.',
    ],
  ],
  [
    { size: 1, tags: [] },
    ["Not enough list items: tags: Attribute requires 1 item minimum, but config has only 0 declared."],
  ],
  [
    { size: 1, tags: ["a", "b", "c"] },
    ["Too many list items: tags: Attribute supports 2 item maximum, but config has 3 declared."],
  ],
  [
    { size: 1, rules: [{ rate: 0.5 }] },
    ['Missing required argument: The argument "rule.0.action" is required, but no definition was found.'],
  ],
  [{ size: 1, rules: [{ action: "allow", colour: 1 }] }, ['Invalid or unknown key: "rules[0].colour"']],
  [{ size: 1, password: "x" }, ['Missing required argument: "password": all of `user` must be specified']],
  [{ size: 1, password: "x", user: UNKNOWN }, []],
  [{ size: 1, window: UNKNOWN, rules: UNKNOWN }, []],
  [
    { size: 1, window: { daily: "x", weekly: "y" } },
    ["daily", "weekly"].map(
      (one) =>
        `Invalid combination of arguments: "window.0.${one}": only one of \`window.0.daily,window.0.weekly\` can be specified, but \`window.0.daily,window.0.weekly\` were specified.`,
    ),
  ],
  [
    { size: 1, window: {} },
    ["daily", "weekly"].map(
      (one) =>
        `Invalid combination of arguments: "window.0.${one}": one of \`window.0.daily,window.0.weekly\` must be specified`,
    ),
  ],
] as [Values, string[]][])("rejects %j with the provider's message", (inputs, words) => {
  expect(validate(schema, {}, inputs).map(({ reason }) => reason)).toEqual(words);
});

test("adds defaults, also in given blocks, but not for deprecated arguments", () => {
  expect(complete(schema, { size: 1, window: { daily: "x" } })).toEqual({
    size: 1,
    isOn: true,
    window: { daily: "x", hour: 4 },
  });
  expect(complete(schema, { isOn: false })).toEqual({ isOn: false });
});

test("predicts arguments, and unknown values for computed outputs", () => {
  expect(predict(schema, { size: 1, region: "here", window: { daily: "x" } })).toEqual({
    size: 1,
    region: "here",
    selfLink: UNKNOWN,
    window: { daily: "x", end: UNKNOWN },
  });
  expect(predict(schema, {})).toEqual({ region: UNKNOWN, selfLink: UNKNOWN });
});

const start = { size: 1, region: "here", network: "projects/p/global/networks/n", tags: ["a", "b"] };
const rule = { action: "allow", rate: 1 };

test.each([
  ["the same", {}, []],
  ["a numeric string instead of a number", { size: "1" }, []],
  ["another number", { size: 2 }, ["update size"]],
  ["a self link instead of an ID", { network: "https://google/v1/projects/p/global/networks/n" }, []],
  ["another network", { network: "projects/p/global/networks/m" }, ["update network"]],
  ["a set in another order", { tags: ["b", "a"] }, []],
  ["a replaced item of a set", { tags: ["b", "c"] }, ["update tags[1]"]],
  ["a removed computed argument", { region: undefined }, []],
  ["another place", { region: "there" }, ["replace region"]],
  ["a computed argument set to its current value", { selfLink: "link" }, []],
  ["an explicit default", { isOn: true }, []],
  ["a value other than the default", { isOn: false }, ["update isOn"]],
  ["an empty argument", { user: "" }, []],
  ["a new argument", { user: "me" }, ["add user"]],
  ["a label with special characters", { labels: { "a/b": "c" } }, ["add labels"]],
  ["a new block", { window: { daily: "x" } }, ["add window"]],
  ["a new item that needs a replacement", { rules: [rule] }, ["replace rules"]],
] as [string, Values, string[]][])("compares %s", (_, change, expected) => {
  const found = differences(
    schema,
    {},
    {
      before: start,
      after: { ...start, ...change },
      state: { ...start, selfLink: "link" },
    },
  );
  expect(found.map(({ path, kind, replace }) => `${replace ? "replace" : kind} ${path}`)).toEqual(expected);
});

test("compares inside maps, blocks and lists of blocks", () => {
  const compare = (before: Values, after: Values) =>
    differences(schema, {}, { before, after, state: {} }).map(({ path, replace }) => [path, replace]);
  expect(compare({ labels: { "a/b": "c", d: "e" } }, { labels: { d: "f" } })).toEqual([
    ['labels["a/b"]', false],
    ["labels.d", false],
  ]);
  expect(compare({ window: { daily: "x" } }, { window: { daily: "y" } })).toEqual([["window.daily", false]]);
  expect(compare({ rules: [rule] }, { rules: [{ ...rule, rate: 2 }] })).toEqual([["rules[0].rate", false]]);
  expect(compare({ rules: [rule] }, { rules: [{ ...rule, action: "deny" }] })).toEqual([
    ["rules[0].action", true],
  ]);
});
