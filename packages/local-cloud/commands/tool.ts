// npm run pulumi -- …, npm run kubectl -- …: runs the real tool for the local cloud and its stack.
import path from "node:path";
import { openCloud } from "../hosts/cloud.ts";
import { openEngine } from "../environment/engine.ts";
import { cloudName, runCommand, runInTerminal } from "./terminal.ts";

const [tool = "", ...args] = process.argv.slice(2);

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  // Only the engine gets PULUMI_* variables, because the local cloud finds engine processes by PULUMI_HOME in their
  // environment.
  const env = { ...(tool === "pulumi" && openEngine(cloud).env), KUBECONFIG: cloud.adminKubeconfig };
  const status = await runInTerminal(path.join(cloud.binDir, tool), args, env);
  if (status === undefined) throw new Error('The local cloud is not running: start it with "npm start"');
  process.exitCode = status;
});
