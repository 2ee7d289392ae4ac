// npm run ci-machine -- COMMAND: runs it on the CI machine in the VPC, with the stack's outputs in its environment.
import { execa } from "execa";
import { ciEnvironment, ciMachineCommand } from "../sample.ts";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine, stackOutputs } from "../environment.ts";
import { cloudName, runCommand } from "./terminal.ts";

const command = process.argv.slice(2);

await runCommand(async () => {
  if (command.length === 0) {
    throw new Error("Say what to run: npm run ci-machine -- COMMAND [ARGUMENT ...]");
  }
  const cloud = openCloud(cloudName());
  const outputs = await stackOutputs(openEngine(cloud));
  const [file, ...args] = await ciMachineCommand(cloud, command);
  const { exitCode } = await execa(file, args, {
    stdio: "inherit",
    env: ciEnvironment(cloud, outputs),
    reject: false,
  });
  process.exitCode = exitCode ?? 1;
});
