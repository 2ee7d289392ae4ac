// npm stop: ends the local cloud, wholly, whatever state it is in.
import { openCloud, removeCloud } from "../cluster/index.ts";
import { cloudName, runCommand } from "./terminal.ts";

await runCommand(async () => {
  const cloud = openCloud(cloudName());
  await removeCloud(cloud);
  console.log(`The local cloud "${cloud.name}" is gone, with everything it held.`);
});
