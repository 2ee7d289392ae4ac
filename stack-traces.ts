// The SDK installs source-map-support, which reads the source maps of all libraries (a fifth of a preview's time) and
// maps frames to files that don't exist; loader.mjs describes the consequences. Node's own stack traces are correct.
Reflect.deleteProperty(Error, "prepareStackTrace");
