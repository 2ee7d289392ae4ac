// npm run recover -- STACK: imports existing resources after a killed run or a lost response, or with
// Grafana's old disk.
import { ExecaError, execa } from "execa";
import { importExisting, lockOf } from "./import-existing.ts";
import { otherStates } from "./state.ts";

const [stack, ...more] = process.argv.slice(2);

if (stack === undefined || more.length > 0) {
  console.error("No stack given. Usage: npm run recover -- STACK");
  process.exitCode = 1;
} else {
  // Ctrl-C ends the engine, but not this program, which has to restore the state.
  const stop = new AbortController();
  process.on("SIGINT", () => {
    stop.abort();
  });
  const pulumi = async (args: string[]): Promise<string> =>
    (await execa("pulumi", args, { stdin: "ignore" })).stdout;
  try {
    const others = await otherStates(pulumi, stack);
    const { imported, skipped } = await importExisting((args) => {
      if (args[0] === "refresh") stop.signal.throwIfAborted();
      return pulumi([...args, "--stack", stack]);
    }, others);
    if (imported.length + skipped.length === 0) {
      console.log("The state contains all existing resources at Google and in Grafana.");
    }
    const typed = (urn: string): string => `  ${urn.split("::").slice(2).join(" ")}`;
    if (imported.length > 0) console.log(["Imported into the state:", ...imported.map(typed)].join("\n"));
    if (skipped.length > 0) {
      const lines = skipped.map(({ urn, id, why }) => `${typed(urn)}: ${why} (${id})`);
      console.log(["Not imported, because they may belong to another stack:", ...lines].join("\n"));
    }
    console.log(`Continue with: pulumi up --stack ${stack}`);
  } catch (error) {
    const lock = lockOf(error);
    const cure = `If that run has ended, remove its lock with "pulumi cancel --stack ${stack}" and repeat this command.`;
    if (lock !== undefined) console.error(`The state is locked: ${lock}. ${cure}`);
    else
      console.error(error instanceof ExecaError ? `${String(error.stdout)}\n${String(error.stderr)}` : error);
    process.exitCode = 1;
  }
}
