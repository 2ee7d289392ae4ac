// npm run pulumi -- …, npm run kubectl -- …: the real tools, on the local cloud and its stack.
import path from "node:path";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine } from "../environment.ts";
import { cloudName, runCommand, runInTerminal } from "./terminal.ts";

const [tool = "", ...args] = process.argv.slice(2);

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  // Only the engine gets its own environment: what carries that counts as a run of it.
  const env = { ...(tool === "pulumi" && openEngine(cloud).env), KUBECONFIG: cloud.adminKubeconfig };
  const status = await runInTerminal(path.join(cloud.binDir, tool), args, env);
  if (status === undefined) throw new Error("The local cloud does not run; npm start starts it");
  process.exitCode = status;
});
