import { describe, expect, it } from "vitest";
import { causeOf } from "../failures-last.ts";

describe("the cause of a failed test", () => {
  it("consists of the lines that mention an error, without colours and repetitions", () => {
    const message = "Command failed\n\u001b[31merror: denied\u001b[0m\nUpdating…\n  error: denied\n+ created";
    expect(causeOf(message)).toEqual(["Command failed", "error: denied"]);
  });

  it("consists of the last six such lines of a long message", () => {
    const message = Array.from({ length: 9 }, (_, index) => `error: ${index}`).join("\n");
    expect(causeOf(message)).toEqual([
      "error: 3",
      "error: 4",
      "error: 5",
      "error: 6",
      "error: 7",
      "error: 8",
    ]);
  });

  it("consists of the first lines if none mentions an error", () => {
    expect(causeOf("expected 1 to be 2\n\n- 2\n+ 1")).toEqual(["expected 1 to be 2", "- 2", "+ 1"]);
  });
});
