// npm run ci-machine -- COMMAND: runs it on the CI machine in the VPC, with the stack's outputs in its environment.
import { ciEnvironment, ciMachineCommand } from "../sample.ts";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine, stackOutputs } from "../environment.ts";
import { cloudName, runCommand, runInTerminal } from "./terminal.ts";

const command = process.argv.slice(2);

await runCommand(async () => {
  if (command.length === 0) {
    throw new Error("Say what to run: npm run ci-machine -- COMMAND [ARGUMENT ...]");
  }
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const [file, ...args] = await ciMachineCommand(cloud, command);
  process.exitCode = (await runInTerminal(file, args, ciEnvironment(cloud, outputs))) ?? 1;
});
