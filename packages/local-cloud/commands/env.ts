// npm run local-cloud:env: prints the environment variables of the local cloud's engine as JSON.
import { readCommandLine } from "../../../lib/command-line.ts";
import { openCloud } from "../hosts/cloud.ts";
import { openEngine } from "../environment/engine.ts";
import { cloudName } from "./terminal.ts";

readCommandLine({ usage: "npm run local-cloud:env" });
console.log(JSON.stringify(openEngine(openCloud(cloudName())).env));
