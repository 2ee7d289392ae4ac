import bcrypt from "bcryptjs";
import { expect, test } from "vitest";
import { isKnown, unwrap } from "../plugin/values.ts";
import { refuseRandomText } from "./generate.ts";
import { RandomProvider } from "./provider.ts";

const type = "random:index/randomPassword:RandomPassword";
const subject = { type, name: "password" };
const provider = new RandomProvider("1.2.3");

async function password(inputs: Record<string, boolean | number | string>): Promise<string> {
  const checked = provider.check({ ...subject, before: undefined, inputs, seed: new Uint8Array() });
  expect(checked.failures).toEqual([]);
  const { state } = await provider.create({ ...subject, inputs: checked.inputs, preview: false });
  expect(state["result"], "the result must be marked as secret").not.toBeTypeOf("string");
  return JSON.parse(JSON.stringify(unwrap(state["result"]))) as string;
}

test("a password has the length and the characters asked for", async () => {
  expect(await password({ length: 24 })).toHaveLength(24);
  expect(await password({ length: 40, special: false })).toMatch(/^[a-zA-Z0-9]{40}$/);
  expect(
    await password({ length: 40, lower: false, upper: false, numeric: false, overrideSpecial: "-_" }),
  ).toMatch(/^[-_]{40}$/);
  expect(await password({ length: 4, minNumeric: 4 })).toMatch(/^\d{4}$/);
  expect(await password({ length: 24 })).not.toBe(await password({ length: 24 }));
});

test("a password comes with its bcrypt hash, a secret too", async () => {
  const { state } = await provider.create({ ...subject, inputs: { length: 12 }, preview: false });
  expect(state["bcryptHash"], "the hash must be marked as secret").not.toBeTypeOf("string");
  const plain = (key: string) => unwrap(state[key]) as string;
  expect(await bcrypt.compare(plain("result"), plain("bcryptHash"))).toBe(true);
  expect(await bcrypt.compare("another", plain("bcryptHash"))).toBe(false);
});

test("impossible arguments are refused", () => {
  expect(refuseRandomText({})).toHaveLength(1);
  expect(refuseRandomText({ length: 0 })).toHaveLength(1);
  expect(refuseRandomText({ length: 3, minUpper: 2, minLower: 2 })).toHaveLength(1);
  expect(
    refuseRandomText({ length: 3, lower: false, upper: false, numeric: false, special: false }),
  ).toHaveLength(1);
  expect(refuseRandomText({ length: 3, special: false, minSpecial: 1 })).toHaveLength(1);
});

test("a preview makes no password, and another length needs a new one", async () => {
  const { id, state } = await provider.create({ ...subject, inputs: { length: 8 }, preview: true });
  expect([id, isKnown(state["result"])]).toEqual(["", false]);
  const request = { ...subject, id: "none", state: {}, before: { length: 8 } };
  expect(provider.diff({ ...request, inputs: { length: 9 } }).changes).toEqual([
    { path: "length", kind: "update", replace: true },
  ]);
  expect(provider.diff({ ...request, inputs: { length: 8 } }).changes).toEqual([]);
});

test("an unknown type is an error that names it", async () => {
  const unknown = "random:index/randomPet:RandomPet";
  await expect(async () =>
    provider.create({ type: unknown, name: "p", inputs: {}, preview: true }),
  ).rejects.toThrow(unknown);
});
