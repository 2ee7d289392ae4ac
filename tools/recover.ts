// npm run recover -- STACK [--json]: imports existing resources that are missing in the state, after a killed run, a
// lost response, or a rebuild with Grafana's old disk. With --json it prints the result as one JSON object.
import { ExecaError, execa } from "execa";
import { readCommandLine } from "../lib/command-line.ts";
import { importExisting, lockOf, type ImportResult } from "./import-existing.ts";
import { otherStates } from "./state.ts";

const {
  values,
  positionals: [stack = ""],
} = readCommandLine({
  usage: `npm run recover -- STACK [--json]
  --json  print the result as one JSON object`,
  options: { json: { type: "boolean", default: false } },
  positionals: [1, 1],
});

// Ctrl-C ends the engine, but not this program, which has to restore the state.
const stop = new AbortController();
process.on("SIGINT", () => {
  stop.abort();
});
const pulumi = async (args: string[]): Promise<string> =>
  (await execa("pulumi", args, { stdin: "ignore" })).stdout;
try {
  const others = await otherStates(pulumi, stack);
  const result = await importExisting((args) => {
    if (args[0] === "refresh") stop.signal.throwIfAborted();
    return pulumi([...args, "--stack", stack]);
  }, others);
  console.log(values.json ? JSON.stringify(result) : describeResult(stack, result));
} catch (error) {
  const lock = lockOf(error);
  const cure = `If that run has ended, remove its lock with "pulumi cancel --stack ${stack}" and repeat this command.`;
  if (lock !== undefined) console.error(`The state is locked: ${lock}. ${cure}`);
  else
    console.error(error instanceof ExecaError ? `${String(error.stdout)}\n${String(error.stderr)}` : error);
  process.exitCode = 1;
}

function describeResult(stack: string, { imported, skipped }: ImportResult): string {
  const typed = (urn: string): string => `  ${urn.split("::").slice(2).join(" ")}`;
  const foreign = skipped.map(({ urn, id, why }) => `${typed(urn)}: ${why} (${id})`);
  return [
    ...(imported.length + skipped.length === 0
      ? ["The state contains all existing resources at Google and in Grafana."]
      : []),
    ...(imported.length > 0 ? ["Imported into the state:", ...imported.map(typed)] : []),
    ...(skipped.length > 0 ? ["Not imported, because they may belong to another stack:", ...foreign] : []),
    `Continue with: pulumi up --stack ${stack}`,
  ].join("\n");
}
