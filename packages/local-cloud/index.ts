// Public API of the package: a local cloud, the environment on it, and programs that use the environment. The package's
// other entry points ("exports" in package.json) are the files index.ts in grafana/, images/, testing/ and toolchain/.
export { openBrowser, panelsLoaded, type OpenBrowser } from "./clients/browser.ts";
export { databaseFolder, loadHistory, recordedAt, type HistoryRun } from "./clients/history.ts";
export { ciEnvironment, ciHostCommand, readBack, runSample, type SampleResult } from "./clients/sample.ts";
export {
  ciHost,
  commandIn,
  frontEndHost,
  internetAuthorityDir,
  internetHost,
  killHost,
  listNodes,
  openCloud,
  removeCloud,
  runIn,
  startForwarder,
  startNode,
  type Cloud,
} from "./cluster/index.ts";
export { cloudName, runCommand, step } from "./commands/terminal.ts";
export { bringUp, initStack, openEngine, stackOutputs, type Engine } from "./environment/engine.ts";
export { startForwards, type LocalAddresses } from "./environment/forwards.ts";
export { openLocalEnvironment, type LocalEnvironment } from "./environment/prepare.ts";
