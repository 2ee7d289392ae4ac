/** Parts of the local cloud that tests call directly, and helpers for tests. */
export { nodeRules } from "../cluster/network-policies/rules.ts";
export { detachDisk } from "../cluster/disks.ts";
export { defaultAccountPath } from "../google/model/default-account.ts";
export { schemaOf } from "../google/schema/table.ts";
export { made, testCloud, type TestCloud } from "../google/testing.ts";
export { findEngineProcesses, findProcesses, killProcesses } from "../hosts/processes.ts";
export { validate } from "../plugin/schema/validate.ts";
export type { Values } from "../plugin/values.ts";
export { typeScriptLoader } from "../plugin/version.ts";
export { Authority } from "../support/pki.ts";
export { startRegistry, type Registry } from "./registry.ts";
export { traces, tracesOf, watchCommandLines } from "./traces.ts";
