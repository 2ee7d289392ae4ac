import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pickNext } from "./schedule.ts";
import { TOOLS } from "./tools.ts";

const budget = { slots: 2, memory: 8 };
const job = fc.record({ memory: fc.integer({ min: 1, max: 12 }), seconds: fc.integer({ min: 1, max: 900 }) });

describe("pickNext", () => {
  it("starts the longest build first", () => {
    expect(
      pickNext(
        [
          { memory: 1, seconds: 1 },
          { memory: 1, seconds: 9 },
        ],
        [],
        budget,
      )?.seconds,
    ).toBe(9);
  });

  it("skips builds that don't fit into the budget together with the running builds", () => {
    const running = [{ memory: 6, seconds: 9 }];
    expect(
      pickNext(
        [
          { memory: 4, seconds: 8 },
          { memory: 2, seconds: 1 },
        ],
        running,
        budget,
      )?.memory,
    ).toBe(2);
  });

  it("never exceeds the budget and always makes progress", () => {
    fc.assert(
      fc.property(fc.array(job), (jobs) => {
        let waiting = jobs;
        let running: typeof jobs = [];
        while (waiting.length > 0) {
          const next = pickNext(waiting, running, budget);
          if (next === undefined) {
            expect(running.length).toBeGreaterThan(0);
            running = running.slice(1);
            continue;
          }
          waiting = waiting.filter((other) => other !== next);
          running = [...running, next];
          expect(running.length).toBeLessThanOrEqual(budget.slots);
          if (running.length > 1)
            expect(running.reduce((sum, one) => sum + one.memory, 0)).toBeLessThanOrEqual(budget.memory);
        }
      }),
    );
  });
});

describe("the table", () => {
  it("names each tool and each binary once", () => {
    const names = TOOLS.flatMap((tool) => [...Object.keys(tool.binaries), ...(tool.folders ?? [])]);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(TOOLS.map((tool) => tool.name)).size).toBe(TOOLS.length);
  });

  it("names several binaries of one tool as their packages, as `go build` does", () => {
    for (const tool of TOOLS) {
      const binaries = Object.entries(tool.binaries);
      if (binaries.length > 1)
        for (const [name, path] of binaries)
          expect((path === "." ? tool.module : path).endsWith(`/${name}`)).toBe(true);
    }
  });
});
