import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parse } from "yaml";
import {
  allowed,
  CONFIGURATION_PAGE,
  configurationPage,
  isObject,
  keys,
} from "../../tools/configuration-page.ts";
import { PROJECT_FILE, projectFile } from "../../tools/project-file.ts";

test("docs/configuration.md equals the generated page; to update it: npm run docs", async () => {
  expect(await readFile(CONFIGURATION_PAGE, "utf8")).toBe(await configurationPage());
});

test("every key has a description, a message for invalid values, and a valid example", async () => {
  for (const key of await keys()) {
    const name = key.path.join(".");
    expect(key.description, `${name}: add a description with .describe() or .meta()`).toMatch(/^[A-Z`].*\.$/);
    expect(allowed(key), `${name}: add an error message that describes the allowed values`).not.toMatch(
      /^(Invalid|$)/,
    );
    if (isObject(key)) continue;
    expect(key.example, `${name}: add an example with .meta({ examples: […] })`).toBeDefined();
    const parse = key.inner as unknown as { safeParse: (value: unknown) => { success: boolean } };
    expect(parse.safeParse(key.example).success, `${name}: ${String(key.example)}`).toBe(true);
  }
});

test("Pulumi.yaml equals the generated file; to update it: npm run docs", async () => {
  expect(await readFile(PROJECT_FILE, "utf8")).toBe(await projectFile());
});

test("Pulumi.yaml has an empty default for each key, and no type", async () => {
  const { config } = parse(await readFile(PROJECT_FILE, "utf8")) as { config: Record<string, object> };
  for (const [key, value] of Object.entries(config)) {
    expect(Object.keys(value), key).toEqual(["description", "default"]);
    expect(JSON.stringify((value as { default: unknown }).default), key).toMatch(/^(""|\[\]|\{\})$/);
  }
});
