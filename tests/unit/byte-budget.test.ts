import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteBudget } from "../../components/push-proxy/byte-budget.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("never exceeds the budget, except for one caller that alone needs more than the budget, and serves callers in FIFO order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }), async (sizes) => {
      const budget = new ByteBudget(10);
      const holding: number[] = [];
      const order: number[] = [];
      const all = sizes.map((size, at) =>
        budget.acquire(size).then(async () => {
          order.push(at);
          holding.push(size);
          const held = holding.reduce((sum, one) => sum + one, 0);
          expect(held <= 10 || held === size).toBe(true);
          await turn();
          holding.splice(holding.indexOf(size), 1);
          budget.release(size);
        }),
      );
      await Promise.all(all);
      expect(order).toEqual(sizes.map((_, at) => at));
    }),
  );
});

test("tryAcquire fails while other callers wait", async () => {
  const budget = new ByteBudget(10);
  expect(budget.tryAcquire(6)).toBe(true);
  expect(budget.tryAcquire(6)).toBe(false);
  const waiting = budget.acquire(6);
  expect(budget.tryAcquire(1)).toBe(false);
  budget.release(6);
  await waiting;
  expect(budget.tryAcquire(4)).toBe(true);
});

test("serves waiting callers until the budget is used up to the last byte", async () => {
  const budget = new ByteBudget(10);
  await budget.acquire(10);
  const served: number[] = [];
  for (const size of [6, 4, 1]) void budget.acquire(size).then(() => served.push(size));
  budget.release(10);
  await turn();
  expect(served).toEqual([6, 4]);
});
