// npm run recover -- STACK: after a run that was killed, or whose answer never came, or when Grafana came back with its disk.
import { ExecaError, execa } from "execa";
import { adopt, lockOf } from "./adopt.ts";
import { otherStates } from "./state.ts";

const [stack, ...more] = process.argv.slice(2);

if (stack === undefined || more.length > 0) {
  console.error("Say which stack: npm run recover -- STACK");
  process.exitCode = 1;
} else {
  // Ctrl-C ends the engine, not this program, which then has the state to put back.
  const stop = new AbortController();
  process.on("SIGINT", () => {
    stop.abort();
  });
  const pulumi = async (args: string[]): Promise<string> =>
    (await execa("pulumi", args, { stdin: "ignore" })).stdout;
  try {
    const others = await otherStates(pulumi, stack);
    const { imported, left } = await adopt((args) => {
      if (args[0] === "refresh") stop.signal.throwIfAborted();
      return pulumi([...args, "--stack", stack]);
    }, others);
    if (imported.length + left.length === 0) {
      console.log("Nothing is at Google or in Grafana that the state doesn't know.");
    }
    const typed = (urn: string): string => `  ${urn.split("::").slice(2).join(" ")}`;
    if (imported.length > 0) console.log(["The state knows these again:", ...imported.map(typed)].join("\n"));
    if (left.length > 0) {
      const lines = left.map(({ urn, id, why }) => `${typed(urn)}: ${why} (${id})`);
      console.log(["These may be another stack's, and stay as they are:", ...lines].join("\n"));
    }
    console.log(`Go on with: pulumi up --stack ${stack}`);
  } catch (error) {
    const lock = lockOf(error);
    const cure = `If that run is gone, remove its lock with "pulumi cancel --stack ${stack}" and repeat this command.`;
    if (lock !== undefined) console.error(`The state is locked: ${lock}. ${cure}`);
    else
      console.error(error instanceof ExecaError ? `${String(error.stdout)}\n${String(error.stderr)}` : error);
    process.exitCode = 1;
  }
}
