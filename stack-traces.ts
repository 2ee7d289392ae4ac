// Removes the function that source-map-support, which Pulumi's SDK installs, uses to rewrite stack traces. It reads the
// source maps of all libraries, which takes a fifth of a preview's time, and names files that don't exist (see
// loader.mjs). Node's own stack traces are correct.
Reflect.deleteProperty(Error, "prepareStackTrace");
