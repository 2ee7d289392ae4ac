import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/language_pb.js";

/**
 * Runs a policy pack as newer language hosts do: resolves the SDK's program from the pack's directory and runs it there
 * with the pack as last argument. Does not set PULUMI_CONFIG and PULUMI_NODEJS_*, which packs need only to read the
 * stack's configuration through the SDK; this project's pack does not read it.
 *
 * @param call receives the pack's output and then its exit code; cancelling the call kills the pack
 */
export function runPolicyPack(
  request: messages.RunPluginRequest,
  call: grpc.ServerWritableStream<unknown, Buffer>,
): void {
  const pack = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  const answer = (response: messages.RunPluginResponse) =>
    call.write(Buffer.from(response.serializeBinary()));
  const fail = (error: Error) => {
    call.emit("error", { code: grpc.status.UNKNOWN, details: error.message });
  };

  let program: string;
  try {
    program = createRequire(path.join(pack, "package.json")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
  } catch (error) {
    fail(error as Error);
    return;
  }
  const child = spawn(process.execPath, [program, ...request.getArgsList(), pack], {
    cwd: pack,
    env: environment(request.getEnvList()),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const end = () => child.kill();
  call.on("cancelled", end);
  process.on("exit", end);
  child.stdout.on("data", (bytes: Buffer) => answer(new messages.RunPluginResponse().setStdout(bytes)));
  child.stderr.on("data", (bytes: Buffer) => answer(new messages.RunPluginResponse().setStderr(bytes)));
  child.on("error", fail);
  // "close" comes after all output was read, "exit" may come earlier.
  child.on("close", (code) => {
    process.off("exit", end);
    answer(new messages.RunPluginResponse().setExitcode(code ?? 1));
    call.end();
  });
}

/** Parses "NAME=value" entries; the last entry of a name wins, as in the engine. */
function environment(list: string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}
