// Rules of `npm run check:imports`: no circular imports between files or between directories. The imports of test files
// (`*.test.ts`) are not checked.
/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-circle-of-files",
      severity: "error",
      comment: "Move what both files need to a third file.",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-circle-of-directories",
      severity: "error",
      scope: "folder",
      comment: "Move what both directories need to a third directory.",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    exclude: {
      path: [
        "\\.test\\.ts$",
        "node_modules/(?!k8sfv-local-cloud)",
        "^packages/local-cloud/grafana/pages/src/",
      ],
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
