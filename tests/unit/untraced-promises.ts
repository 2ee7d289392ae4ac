// Stops the SDK from recording a stack trace for each of its promises, which took a quarter of the time of a program's
// run with mocks. The SDK uses the traces only to report promises that are pending when the process ends.
import { createRequire } from "node:module";

const debuggable = createRequire(import.meta.url)("@pulumi/pulumi/runtime/debuggable.js") as {
  debuggablePromise: <T>(promise: Promise<T>) => Promise<T>;
};
debuggable.debuggablePromise = (promise) => promise;
