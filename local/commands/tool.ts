// npm run pulumi -- …, npm run kubectl -- …: the real tools, on the local cloud and its stack.
import path from "node:path";
import { execa } from "execa";
import { openCloud } from "../cluster/cloud.ts";
import { openEngine } from "../environment.ts";
import { cloudName, runCommand } from "./terminal.ts";

const [tool = "", ...args] = process.argv.slice(2);

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  const env = { ...openEngine(cloud).env, KUBECONFIG: cloud.adminKubeconfig };
  const { exitCode, failed } = await execa(path.join(cloud.binDir, tool), args, {
    stdio: "inherit",
    env,
    reject: false,
  });
  if (failed && exitCode === undefined) throw new Error("The local cloud does not run; npm start starts it");
  process.exitCode = exitCode ?? 1;
});
