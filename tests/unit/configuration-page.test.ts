import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { SECRET_KEYS } from "../../config/schema.ts";
import {
  allowed,
  CONFIGURATION_PAGE,
  configurationPage,
  isMap,
  keys,
} from "../../tools/configuration-page.ts";

test("docs/configuration.md is what the schema says; else: npm run docs", async () => {
  expect(await readFile(CONFIGURATION_PAGE, "utf8")).toBe(await configurationPage());
});

test("every key says what it is, and what is allowed, and has an example that is allowed", async () => {
  for (const key of await keys()) {
    const name = key.path.join(".");
    expect(key.description, `${name}: .describe() or .meta() it`).toMatch(/^[A-Z`].*\.$/);
    expect(allowed(key), `${name}: give its type an error that says what is allowed`).not.toMatch(
      /^(Invalid|$)/,
    );
    if (isMap(key)) continue;
    expect(key.example, `${name}: .meta({ examples: […] })`).toBeDefined();
    const parse = key.inner as unknown as { safeParse: (value: unknown) => { success: boolean } };
    expect(parse.safeParse(key.example).success, `${name}: ${String(key.example)}`).toBe(true);
  }
});

test("Pulumi.yaml has the same keys, and tells of each with its default", async () => {
  const text = await readFile(new URL("../../Pulumi.yaml", import.meta.url), "utf8");
  const { config } = parse(text) as { config: Record<string, { description: string }> };
  const all = await keys();
  expect(Object.keys(config).toSorted()).toEqual(
    all
      .filter(({ path }) => path.length === 1)
      .map(({ path: [key] }) => key)
      .toSorted(),
  );
  for (const { path, byDefault } of all.filter((key) => key.path.length > 1)) {
    const told = config[path[0] ?? ""]?.description ?? "";
    expect(told, path.join(".")).toContain(path.at(-1));
    if (["string", "number", "boolean"].includes(typeof byDefault)) {
      expect(told, path.join(".")).toMatch(
        new RegExp(`\\b${path.at(-1)} \\([^)]*\\b${String(byDefault)}\\b`),
      );
    }
  }
  for (const key of SECRET_KEYS) expect(config[key]?.description).toMatch(/secret/);
});
