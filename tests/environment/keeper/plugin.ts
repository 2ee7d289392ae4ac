import { setTimeout as sleep } from "node:timers/promises";
import type { Plugin } from "../../../packages/local-cloud/plugin/plugin.ts";
import { serve } from "../../../packages/local-cloud/plugin/serve.ts";
import { text } from "../../../packages/local-cloud/plugin/values.ts";

/** How long after the program's end the deletion begins, if the engine doesn't let the program wait; ms. */
const delay = 2000;

/** A provider of one resource type, whose deletion asks the program for something. */
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
  invoke: (token) => Promise.reject(new Error(`The provider "keeper" serves no function ${token}`)),
};

await serve(plugin);
