// Builds the pages of Prometheus. The toolchain copies this file to its copy of Prometheus's Go module, into the folder
// web/ui, and runs Vite there.
import path from "node:path";
import react from "@vitejs/plugin-react";

const modules = path.join(import.meta.dirname, "module");

export default {
  base: "",
  plugins: [react()],
  build: {
    // codemirror-promql re-exports types without the keyword `type`. The bundler, which doesn't check types, would
    // report them as missing exports.
    rollupOptions: { shimMissingExports: true },
  },
  resolve: {
    alias: {
      "@prometheus-io/lezer-promql": path.join(modules, "lezer-promql/src/parser.js"),
      "@prometheus-io/codemirror-promql": path.join(modules, "codemirror-promql/src/index.ts"),
    },
  },
};
