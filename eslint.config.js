import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";
import plainFirstSentence from "./eslint-rules/plain-first-sentence.js";

/** Files and directories of the project that the local cloud does not import. */
const PROJECT = [
  "(bench|components|config|monitoring-mixin|policy|tests/(environment|rules|unit)|tools)/",
  "(config|index|versions)\\.ts$",
];

/** Pattern that forbids imports of the local cloud, so that the program works without it. */
const PROGRAM_ALONE = {
  group: ["**/packages/**", "k8sfv-local-cloud*"],
  message: "The program doesn't import the local cloud: only bench/ and tests/ do.",
};

/**
 * @param {...object} patterns patterns of the rule no-restricted-imports
 * @returns {import("eslint").Linter.RulesRecord}
 */
function restrictImports(...patterns) {
  return { "no-restricted-imports": ["error", { patterns }] };
}

export default defineConfig(
  { ignores: ["node_modules/", "**/bin/", "packages/local-cloud/toolchain/modules/prometheus/pages/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/prefer-nullish-coalescing": "error",
      // The Kubernetes client declares JSON objects as classes. The project writes them as object literals and copies
      // them with the spread syntax.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-misused-spread": "off",
      // A Pulumi resource is often created only for its effect.
      "no-new": "off",
    },
  },
  {
    // Directories whose text follows CONTRIBUTING.md, "Language".
    files: [
      "*.{js,mjs,ts}",
      "{bench,components,config,eslint-rules,lib,monitoring-mixin,policy,tests,tools}/**/*.{js,ts}",
      "packages/local-cloud/**/*.{mjs,ts,tsx}",
    ],

    plugins: { language: { rules: { "plain-first-sentence": plainFirstSentence } } },
    rules: { "language/plain-first-sentence": "error" },
  },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    // The TypeScript compiler reports undefined names in these files too.
    rules: { "no-undef": "off" },
  },
  {
    files: ["**/*.cjs"],
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  {
    // The packages that the Grafana stand-in's pages import aren't installed in the checkout, so ESLint can't check
    // types here. tests/environment/browser.test.ts checks them.
    files: ["packages/local-cloud/grafana/pages/src/**"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
  },
  {
    files: ["monitoring-mixin/dashboards/**/*.ts"],
    // The SDK's builders for dashboard schema v1 are deprecated, but Grafana's provider needs this schema.
    rules: { "@typescript-eslint/no-deprecated": "off" },
  },
  {
    files: ["*.{ts,mjs}", "{components,config,policy,tools}/**/*.{ts,cjs}"],
    rules: restrictImports(PROGRAM_ALONE),
  },
  {
    files: ["monitoring-mixin/**/*.ts"],
    rules: restrictImports(PROGRAM_ALONE, {
      group: ["**/components/**", "@pulumi/*"],
      message: "The mixin doesn't depend on Pulumi: components import the mixin.",
    }),
  },
  {
    files: ["lib/**/*.ts"],
    rules: restrictImports({
      group: ["../**", "k8sfv-local-cloud*"],
      message: "lib/ may import only npm packages.",
    }),
  },
  {
    files: ["{bench,tests}/**/*.ts"],
    rules: restrictImports({
      group: ["**/packages/**"],
      message: "Import the entry points of k8sfv-local-cloud (packages/local-cloud/package.json, exports).",
    }),
  },
  {
    files: ["packages/local-cloud/**/*.{ts,mjs}"],
    // This file exports the project's image versions to the local cloud.
    ignores: ["packages/local-cloud/project/images.ts"],
    rules: restrictImports({
      regex: `^(\\.\\./)+(${PROJECT.join("|")})|^k8sfv-local-cloud`,
      message:
        "The local cloud may import only lib/ from the project: use stack files, outputs or npm scripts instead.",
    }),
  },
  {
    files: ["*.ts", "{components,config,lib,monitoring-mixin}/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "TSEnumDeclaration, TSModuleDeclaration, TSParameterProperty",
          message:
            "Node removes types but doesn't compile TypeScript (loader.mjs): use a construct of JavaScript.",
        },
      ],
    },
  },
  {
    files: ["*.ts", "{components,lib,monitoring-mixin}/**/*.ts"],
    plugins: { "@pulumi": pulumi },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "off",
    },
  },
);
