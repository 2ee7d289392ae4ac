// The package has no type declarations.
declare module "@pulumi/eslint-plugin" {
  import type { ESLint } from "eslint";
  const plugin: ESLint.Plugin;
  export default plugin;
}
