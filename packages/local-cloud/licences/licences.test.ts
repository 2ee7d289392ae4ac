import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { images } from "../project/images.ts";
import * as bootstrap from "../bootstrap.mjs";
import { refuseUnlicensed } from "../grafana/pages/build.ts";
import { checkLicences } from "../toolchain/linked-licences.ts";
import { outdated, readGoModules } from "./go-modules.ts";
import { LICENCES_PAGE, licencesPage, NPM_PROJECTS, readLock } from "./page.ts";
import {
  forbiddenModules,
  forbiddenPackages,
  isAllowed,
  npmLicences,
  type NpmLock,
} from "../toolchain/licences/policy.ts";
import { DEBIAN, IMAGES } from "./programs.ts";

test("docs/licences.md is current; otherwise run: npm run docs", async () => {
  expect(await readFile(LICENCES_PAGE, "utf8")).toBe(licencesPage());
});

test("the page lists all installed Debian packages and all images", () => {
  const packages = Object.entries(bootstrap).filter(
    ([name]) => /^\w+Packages$/.test(name) && !/^missing/.test(name),
  );
  expect(packages.map(([name]) => name)).toContain("systemPackages");
  expect(Object.keys(DEBIAN)).toEqual(expect.arrayContaining(packages.flatMap(([, of]) => Object.keys(of))));
  const names = Object.values(images).map((image) => image.replace(/[:@].*/, ""));
  expect(Object.keys(IMAGES)).toEqual(expect.arrayContaining(names));
});

test("the licences of Go modules match go.mod and go.sum; otherwise run: npm run licences", () => {
  expect(outdated(readGoModules())).toEqual([]);
});

test("all linked Go modules have allowed licences", () => {
  const { modules } = readGoModules();
  expect(Object.keys(modules).length).toBeGreaterThan(500);
  expect(forbiddenModules(modules)).toEqual([]);
});

test.each(NPM_PROJECTS)("all packages of %s have allowed licences", (folder) => {
  const lock = readLock(folder);
  expect(npmLicences(lock).size).toBeGreaterThan(100);
  expect(forbiddenPackages(lock)).toEqual([]);
});

// ../tests/environment/go.test.ts tests that the toolchain rejects a program that links a Go module under the AGPL.
test("reports Go modules under the AGPL and without a licence", () => {
  const found = {
    "github.com/grafana/grafana@v11.0.0": ["AGPL-3.0-only"],
    "example.com/fine@v1.0.0": ["Apache-2.0", "BSD-3-Clause"],
    "example.com/mixed@v1.0.0": ["MIT", "GPL-2.0-only"],
    "example.com/nothing@v1.0.0": ["no licence file"],
  };
  expect(forbiddenModules(found)).toEqual([
    "Go module github.com/grafana/grafana@v11.0.0: AGPL-3.0-only",
    "Go module example.com/mixed@v1.0.0: MIT AND GPL-2.0-only",
    "Go module example.com/nothing@v1.0.0: no licence file",
  ]);
  expect(() => {
    checkLicences("planted", found);
  }).toThrow(/planted links .*\n.*grafana\/grafana@v11\.0\.0: AGPL-3\.0-only/);
});

test("reports npm packages under the AGPL and without a licence", () => {
  const lock: NpmLock = {
    packages: {
      "": { version: "1.0.0" },
      "node_modules/@grafana/prometheus": { version: "13.2.3", license: "AGPL-3.0-only" },
      "node_modules/a/node_modules/@b/c": { version: "2.0.0" },
      "node_modules/fine": { version: "1.0.0", license: "(MIT OR GPL-3.0-or-later)" },
    },
  };
  expect(forbiddenPackages(lock)).toEqual([
    "npm package @grafana/prometheus@13.2.3: AGPL-3.0-only",
    "npm package @b/c@2.0.0: none",
  ]);
});

test.each([
  ["MIT", true],
  ["MPL-2.0", true],
  ["(MIT OR GPL-2.0-only)", true],
  ["MIT AND (Zlib OR AGPL-3.0-only)", true],
  ["MIT AND LGPL-2.1-or-later", false],
  ["GPL-2.0-only WITH Classpath-exception-2.0", false],
  ["SSPL-1.0", false],
  ["BUSL-1.1", false],
  ["UNLICENSED", false],
  ["SEE LICENSE IN LICENSE", false],
  ["", false],
])("isAllowed(%s) returns %s", (expression, expected) => {
  expect(isAllowed(expression)).toBe(expected);
});

test("rejects pages that bundle a package without a licence", () => {
  const inputs = ["src/main.tsx", "../x/node_modules/get-window/index.js"];
  expect(() => {
    refuseUnlicensed(inputs);
  }).not.toThrow();
  expect(() => {
    refuseUnlicensed([...inputs, "../x/node_modules/get-document/index.js"]);
  }).toThrow("The pages contain get-document");
});
