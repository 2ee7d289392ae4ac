import { expect, test } from "vitest";
import { reason } from "../../lib/reason.ts";

const refused = Object.assign(new Error(""), { code: "ECONNREFUSED" });

test.each([
  ["a message", new Error("full disk"), "full disk"],
  ["only the first line of a message", new Error("full disk\nat line 1"), "full disk"],
  [
    "the cause, because fetch's own message says nothing",
    new TypeError("fetch failed", { cause: new Error("no route") }),
    "no route",
  ],
  [
    "the first error of several addresses",
    new Error("fetch failed", { cause: new AggregateError([new Error("refused by ::1")], "") }),
    "refused by ::1",
  ],
  ["the code of an error without a message", refused, "ECONNREFUSED"],
  ["a thrown text", "gone", "gone"],
])("the reason of an error is %s", (_, error, expected) => {
  expect(reason(error)).toBe(expected);
});
