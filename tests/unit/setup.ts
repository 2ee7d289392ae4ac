import { vi } from "vitest";

// With `isolate: false`, the test files of a worker share loaded modules, so a module could use an earlier file's mocks
// or ignore this file's. Therefore this unloads the project's modules before each file. npm packages stay loaded.
vi.resetModules();
