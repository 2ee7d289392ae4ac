import { describe, expect, it } from "vitest";
import { timeTicks } from "./src/panels/axis.ts";

const HOUR = 3600_000;

/** Returns Berlin's UTC offset in ms. Daylight saving time begins on 2026-03-29 at 01:00 UTC. */
const berlin = (time: number) => (time < Date.UTC(2026, 2, 29, 1) ? HOUR : 2 * HOUR);
const india = () => 5.5 * HOUR;

function ticks(from: string, to: string, wanted: number, offsetAt: (time: number) => number) {
  const { times, format } = timeTicks(Date.parse(from), Date.parse(to), wanted, offsetAt);
  return { format, times: times.map((time) => new Date(time).toISOString().slice(5, 16)) };
}

describe("timeTicks", () => {
  it("returns midnights of the time zone, also after a change to daylight saving time", () => {
    expect(ticks("2026-03-27T12:00Z", "2026-03-31T00:00Z", 5, berlin)).toEqual({
      format: "MM/DD",
      times: ["03-27T23:00", "03-28T23:00", "03-29T22:00", "03-30T22:00"],
    });
  });

  it("returns full hours of a time zone whose offset is not a full hour", () => {
    expect(ticks("2026-01-05T10:00Z", "2026-01-05T12:40Z", 3, india)).toEqual({
      format: "HH:mm",
      times: ["01-05T10:30", "01-05T11:30", "01-05T12:30"],
    });
  });

  it("returns each time once when local clocks skip an hour", () => {
    expect(ticks("2026-03-29T00:00Z", "2026-03-29T03:00Z", 3, berlin).times).toEqual([
      "03-29T00:00",
      "03-29T01:00",
      "03-29T02:00",
      "03-29T03:00",
    ]);
  });
});
