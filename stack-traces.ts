// The SDK installs source-map-support, which reads the source maps of all libraries (a fifth of a preview's time) and
// maps frames to files that don't exist; loader.mjs says what that leads to. Node's own stack traces are right.
Reflect.deleteProperty(Error, "prepareStackTrace");
