import { vi } from "vitest";

// Test files share a worker's modules (isolate: false). A module that an earlier file loaded could use that file's mocks,
// or not use this file's. Packages of npm stay loaded.
vi.resetModules();
