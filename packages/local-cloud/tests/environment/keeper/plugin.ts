import { setTimeout as sleep } from "node:timers/promises";
import type { Plugin } from "../../../plugin/plugin.ts";
import { serve } from "../../../plugin/serve.ts";
import { text } from "../../../plugin/values.ts";

/**
 * Delay in ms before the provider deletes a resource. A Pulumi program that doesn't wait until the engine has finished
 * would exit within this time, and the deletion would fail.
 */
const delay = 2000;

/**
 * A provider with one resource type. To delete a resource, it sends a request to a server in the Pulumi program, which
 * must still run.
 */
const plugin: Plugin = {
  version: "1.0.0",
  configure: () => undefined,
  check: ({ inputs }) => ({ inputs, failures: [] }),
  diff: () => ({ changes: [], deleteBeforeReplace: false }),
  create: ({ inputs, preview }) => Promise.resolve({ id: preview ? "" : "kept", state: inputs }),
  read: ({ id, inputs, state }) => Promise.resolve({ id, inputs, state }),
  update: ({ inputs }) => Promise.resolve(inputs),
  delete: async ({ state }) => {
    await sleep(delay);
    await fetch(text(state, "url"));
  },
  invoke: (token) => Promise.reject(new Error(`The provider "keeper" has no function ${token}`)),
};

await serve(plugin);
