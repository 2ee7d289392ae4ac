// npm run ci-machine -- COMMAND: runs a command on the CI host in the VPC, with the stack's outputs as environment
// variables.
import { readCommandLine } from "../../../lib/command-line.ts";
import { ciEnvironment, ciHostCommand } from "../clients/sample.ts";
import { openCloud } from "../hosts/cloud.ts";
import { openEngine, stackOutputs } from "../environment/engine.ts";
import { cloudName, runCommand, runInTerminal } from "./terminal.ts";

const command = process.argv.slice(2);
// Options after COMMAND are options of COMMAND, not of this script.
readCommandLine({
  usage: "npm run ci-machine -- COMMAND [ARGUMENT ...]",
  positionals: [1, 1],
  args: command.slice(0, 1),
});

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const [file, ...args] = await ciHostCommand(cloud, command);
  process.exitCode = (await runInTerminal(file, args, ciEnvironment(cloud, outputs))) ?? 1;
});
