import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interpolateQueryExpr } from "./src/prometheus/interpolate.ts";

/**
 * Expected values are from Grafana's documentation and from its issue 96063, which is about the Prometheus data source
 * without the feature toggle prometheusSpecialCharsInLabelValues. String.raw shows backslashes as they are in the value
 * or the query.
 */
describe("interpolateQueryExpr", () => {
  const single = {};
  const multi = { multi: true, includeAll: true };

  it.each([
    ["plain", "plain"],
    [String.raw`C:\dir`, String.raw`C:\\dir`],
    ["it's", String.raw`it\\'s`],
    ['say "hi"', 'say "hi"'],
    ["two\nlines", "two\nlines"],
    ["a.b[c]", "a.b[c]"],
  ])("formats the single value %j", (value, expected) => {
    expect(interpolateQueryExpr(value, single)).toBe(expected);
  });

  it.each([
    ["plain", "plain"],
    ["a.b*c", String.raw`a\\.b\\*c`],
    ["[slow] (1|2)?", String.raw`\\[slow\\] \\(1\\|2\\)\\?`],
    ["^a+$ {2}", String.raw`\\^a\\+\\$ \\{2\\}`],
    [String.raw`C:\dir`, String.raw`C:\\\\dir`],
    ["it's", "it's"],
    ['say "hi"', 'say "hi"'],
  ])("escapes the selected value %j for a regular expression", (value, expected) => {
    expect(interpolateQueryExpr([value], multi)).toBe(expected);
    expect(interpolateQueryExpr(value, multi)).toBe(expected);
  });

  it("joins several values as alternatives", () => {
    expect(interpolateQueryExpr(["a.b", "c"], multi)).toBe(String.raw`(a\\.b|c)`);
  });

  it("joins several values of a single-value variable by commas, like JavaScript", () => {
    expect(interpolateQueryExpr(["a", "b"], single)).toBe("a,b");
  });

  it("returns a regular expression that matches only the value if it has no quotes or newlines", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[^"\n\r]*$/), (value) => {
        const promql = interpolateQueryExpr([value], multi);
        // PromQL reads \\ in a string as one backslash.
        const expression = new RegExp(`^(?:${promql.replaceAll("\\\\", "\\")})$`, "s");
        expect(expression.test(value)).toBe(true);
        expect(expression.test(`${value}x`)).toBe(false);
      }),
    );
  });
});
