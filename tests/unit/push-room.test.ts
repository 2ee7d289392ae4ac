import fc from "fast-check";
import { expect, test } from "vitest";
import { makeRoom } from "../../components/push-guard/room.mjs";

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("there is never more in it than it has room for, but for one that is alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }), async (sizes) => {
      const room = makeRoom(10);
      const inside: number[] = [];
      const entered: number[] = [];
      const all = sizes.map((size, at) =>
        room.enter(size).then(async () => {
          entered.push(at);
          inside.push(size);
          const taken = inside.reduce((sum, one) => sum + one, 0);
          expect(taken <= 10 || taken === size).toBe(true);
          await turn();
          inside.splice(inside.indexOf(size), 1);
          room.leave(size);
        }),
      );
      await Promise.all(all);
      // In turn: a large one is not passed by for ever.
      expect(entered).toEqual(sizes.map((_, at) => at));
    }),
  );
});
