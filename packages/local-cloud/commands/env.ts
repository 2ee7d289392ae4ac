// npm run local-cloud:env: prints the environment variables of the local cloud's engine as JSON.
import { openCloud } from "../hosts/cloud.ts";
import { openEngine } from "../environment/engine.ts";
import { cloudName } from "./terminal.ts";

console.log(JSON.stringify(openEngine(openCloud(cloudName())).env));
