import { readFileSync } from "node:fs";
import bcrypt from "bcryptjs";
import { expect, test } from "vitest";
import { isKnown, unwrap } from "../plugin/values.ts";
import { RandomProvider } from "./provider.ts";
import { passwordSchema, stringSchema } from "./schema.ts";

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

test("generates a password of the requested length and characters", async () => {
  expect(await password({ length: 24 })).toHaveLength(24);
  expect(await password({ length: 40, special: false })).toMatch(/^[a-zA-Z0-9]{40}$/);
  expect(
    await password({ length: 40, lower: false, upper: false, numeric: false, overrideSpecial: "-_" }),
  ).toMatch(/^[-_]{40}$/);
  expect(await password({ length: 4, minNumeric: 4 })).toMatch(/^\d{4}$/);
  expect(await password({ length: 24 })).not.toBe(await password({ length: 24 }));
});

test("returns a password's bcrypt hash as a secret", async () => {
  const { state } = await provider.create({ ...subject, inputs: { length: 12 }, preview: false });
  expect(state["bcryptHash"], "the hash must be marked as secret").not.toBeTypeOf("string");
  const plain = (key: string) => unwrap(state[key]) as string;
  expect(await bcrypt.compare(plain("result"), plain("bcryptHash"))).toBe(true);
  expect(await bcrypt.compare("another", plain("bcryptHash"))).toBe(false);
});

test.each([
  [{}, 'The argument "length" is required'],
  [{ length: 0 }, "value must be at least 1, got: 0"],
  [{ length: 3, minUpper: 2, minLower: 2 }, "min_special (4), got: 3"],
  [{ length: 3, number: false, minNumeric: 4 }, "min_special (4), got: 3"],
  [{ length: 3, lower: false, upper: false, numeric: false, special: false }, "At least one of"],
  [{ length: 3, lower: false, upper: false, number: false, special: false }, "At least one of"],
  [{ length: 3, uper: false }, 'Invalid or unknown key: "uper"'],
  [{ length: "long" }, '"length" can\'t be "long"'],
  [{ length: 3, result: "abc" }, 'Can\'t configure a value for "result"'],
])("rejects the arguments %j", (inputs, words) => {
  const { failures } = provider.check({ ...subject, before: undefined, inputs, seed: new Uint8Array() });
  expect(failures.map(({ reason }) => reason)).toEqual([expect.stringContaining(words)]);
});

test("generates the minimum number of characters of a class even if the class is disallowed, as the real provider does", async () => {
  const inputs = { length: 20, special: false, minSpecial: 1, overrideSpecial: "-" };
  expect((await password(inputs)).replace(/[a-zA-Z0-9]/g, "")).toBe("-");
});

test.each(["numeric", "number"])("generates minNumeric digits with %s: false", async (argument) => {
  const inputs = { length: 20, [argument]: false, minNumeric: 2 };
  expect((await password(inputs)).replace(/\D/g, "")).toHaveLength(2);
});

test("has the arguments of the npm package", () => {
  for (const [name, schema] of Object.entries({ Password: passwordSchema, String: stringSchema })) {
    const file = new URL(`../../../node_modules/@pulumi/random/random${name}.d.ts`, import.meta.url);
    const [, body = ""] = readFileSync(file, "utf8").split(`export interface Random${name}Args {\n`);
    const declared = [...body.matchAll(/^ {4}(\w+)\??: pulumi\.Input</gm)].map(([, argument]) => argument);
    const known = Object.keys(schema).filter((argument) => schema[argument]?.computed !== true);
    expect(declared.toSorted()).toEqual(known.toSorted());
  }
});

test("generates no password in a preview and replaces it for another length", async () => {
  const { id, state } = await provider.create({ ...subject, inputs: { length: 8 }, preview: true });
  expect([id, isKnown(state["result"])]).toEqual(["", false]);
  const request = { ...subject, id: "none", state: {}, before: { length: 8 } };
  expect(provider.diff({ ...request, inputs: { length: 9 } }).changes).toEqual([
    { path: "length", kind: "update", replace: true },
  ]);
  expect(provider.diff({ ...request, inputs: { length: 8 } }).changes).toEqual([]);
});

test("reports an unknown type by its name", async () => {
  const unknown = "random:index/randomPet:RandomPet";
  await expect(async () =>
    provider.create({ type: unknown, name: "p", inputs: {}, preview: true }),
  ).rejects.toThrow(unknown);
});
