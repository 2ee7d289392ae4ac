// npm run recover -- STACK: after a run that was killed, or whose answer never came, or when Grafana came back with its disk.
import { ExecaError, execa } from "execa";
import { adopt } from "./adopt.ts";

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
  try {
    const adopted = await adopt(async (args) => {
      if (args[0] === "refresh") stop.signal.throwIfAborted();
      const { stdout } = await execa("pulumi", [...args, "--stack", stack], { stdin: "ignore" });
      return stdout;
    });
    console.log(
      adopted.length === 0
        ? "Nothing is at Google or in Grafana that the state doesn't know."
        : [
            "The state knows these again:",
            ...adopted.map((urn) => `  ${urn.split("::").slice(2).join(" ")}`),
          ].join("\n"),
    );
    console.log(`Go on with: pulumi up --stack ${stack}`);
  } catch (error) {
    console.error(error instanceof ExecaError ? `${String(error.stdout)}\n${String(error.stderr)}` : error);
    process.exitCode = 1;
  }
}
