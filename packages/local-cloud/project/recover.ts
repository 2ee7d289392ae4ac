import { execa } from "execa";
import { projectDir } from "./directory.ts";

/**
 * Imports resources that exist but are missing in a stack's state, with the project's `npm run recover`.
 *
 * @param env environment variables of the engine
 * @returns URNs of the imported resources
 * @throws ExecaError with the command's message when it fails
 */
export async function recoverStack(stack: string, env: Record<string, string>): Promise<string[]> {
  const command = ["run", "--silent", "recover", "--", stack, "--json"];
  const { stdout } = await execa("npm", command, { cwd: projectDir, env, stdin: "ignore" });
  return (JSON.parse(stdout) as { imported: string[] }).imported;
}
