import { Linter } from "eslint";
import { expect, test } from "vitest";
import rule from "../../eslint-rules/plain-first-sentence.js";

function problems(code: string): string[] {
  const found = new Linter().verify(code, {
    plugins: { local: { rules: { rule } } },
    rules: { "local/rule": "error" },
  });
  return found.map(({ line, messageId }) => `${line} ${messageId}`);
}

test.each([
  ["a doc comment", "/** What a node needs. */\nconst a = 1;", ["1 comment"]],
  ["a doc comment of several lines", "\n/**\n * Those that can't be had.\n */\nconst a = 1;", ["2 comment"]],
  ["a test title", 'test("who finds none waits", () => {});', ["1 title"]],
  ["the title of a test with cases", 'it.each([1])("of those two one wins", () => {});', ["1 title"]],
  ["the title of a group", 'describe.skip("What is kept", () => {});', ["1 title"]],
])("reports %s with a headless relative clause", (_, code, expected) => {
  expect(problems(code)).toEqual(expected);
});

test.each([
  ["a noun phrase", "/** Arguments of the node. It says what it needs. */\nconst a = 1;"],
  ["another comment", "// What follows is generated.\n/* What is plain. */\nconst a = 1;"],
  ["a longer word", "/** Whoami service. */\nconst a = 1;"],
  ["a test title that describes behavior", 'test("returns what was pushed", () => {});'],
  ["a string that is not a title", 'print("what is this");'],
])("accepts %s", (_, code) => {
  expect(problems(code)).toEqual([]);
});
