// npm run licences: reads the licence files of all linked Go modules, and writes docs/licences.md.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readCommandLine } from "../../../lib/command-line.ts";
import { linkedLicences } from "../toolchain/linked-licences.ts";
import { prepareModule } from "../toolchain/layout.ts";
import { ALL_TOOLS, type Tool } from "../toolchain/tools.ts";
import { GO_MODULES, hasBinaries, sourceOf, type GoModules } from "./go-modules.ts";
import { LICENCES_PAGE, licencesPage } from "./page.ts";
import { goLicence, type GoLicences } from "../toolchain/licences/policy.ts";

readCommandLine({ usage: "npm run licences" });

async function licencesOf(tool: Tool): Promise<GoLicences> {
  const scratch = await mkdtemp(path.join(tmpdir(), "k8sfv-licences-"));
  try {
    const build = {
      tool,
      moduleDir: path.resolve(import.meta.dirname, "..", tool.module),
      out: path.join(scratch, "out"),
      scratch,
      log: path.join(scratch, "log"),
      onLine: () => undefined,
    };
    return await linkedLicences(build, await prepareModule(build));
  } finally {
    await rm(scratch, { recursive: true });
  }
}

const modules = new Map<string, readonly string[]>();
const tools: Record<string, GoModules["tools"][string]> = {};
for (const tool of ALL_TOOLS.filter(hasBinaries)) {
  console.error(`  licences: ${tool.name}`);
  const licences: Record<string, number> = {};
  for (const [module, ids] of Object.entries(await licencesOf(tool))) {
    modules.set(module, ids);
    const licence = goLicence(module, ids);
    licences[licence] = (licences[licence] ?? 0) + 1;
  }
  tools[tool.name] = { of: sourceOf(tool), licences };
}
const sorted = Object.fromEntries([...modules].sort(([a], [b]) => (a < b ? -1 : 1)));
await writeFile(GO_MODULES, `${JSON.stringify({ modules: sorted, tools }, undefined, 2)}\n`);
await writeFile(LICENCES_PAGE, licencesPage());
