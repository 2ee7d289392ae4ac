import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { Store } from "./store.ts";
import { testCloud } from "../testing.ts";

test("applies concurrent changes of several stores", async () => {
  const { dir } = testCloud();
  const file = path.join(dir, "shared.json");
  const stores = [new Store(file), new Store(file), new Store(file)];
  const count = (store: Store) =>
    store.change((data) => {
      data.faults["count"] = (data.faults["count"] ?? 0) + 1;
    });
  await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => count(store))));
  expect(new Store(file).read().faults["count"]).toBe(30);
});

test("discards a failed change and continues with the next one", async () => {
  const { store, dir } = testCloud();
  await store.change((data) => {
    data.faults["count"] = 1;
  });
  const failing = store.change((data) => {
    data.faults["count"] = 2;
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(store.read().faults).toEqual({ count: 1 });
  // A process that is killed while it writes leaves this file behind.
  writeFileSync(path.join(dir, "google.json.new"), "{");
  await store.change((data) => {
    data.faults["count"] = 3;
  });
  expect(JSON.parse(readFileSync(path.join(dir, "google.json"), "utf8"))).toMatchObject({
    faults: { count: 3 },
  });
});
