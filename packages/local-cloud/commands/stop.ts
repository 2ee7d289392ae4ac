// npm stop: stops and removes the local cloud, whatever its state.
import { readCommandLine } from "../../../lib/command-line.ts";
import { openCloud, removeCloud } from "../cluster/index.ts";
import { cloudName, runCommand } from "./terminal.ts";

readCommandLine({ usage: "npm stop" });

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  await removeCloud(cloud);
  console.log(`Removed local cloud "${cloud.name}" and all its data.`);
});
