// The package ships no types of its own.
declare module "@pulumi/eslint-plugin" {
  import type { ESLint } from "eslint";
  const plugin: ESLint.Plugin;
  export default plugin;
}
