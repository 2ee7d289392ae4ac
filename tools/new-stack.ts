// npm run new-stack -- NAME: writes a new stack's file and prints the next steps.
import { newStack } from "./new-stack/command.ts";
import { PROJECT_DIR } from "./stacks.ts";

try {
  console.log(await newStack(process.argv.slice(2), PROJECT_DIR));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
