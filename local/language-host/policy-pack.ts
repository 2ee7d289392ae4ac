import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/language_pb.js";

/**
 * Runs a policy pack the way today's language host does: the SDK's own program, found from the pack's folder
 * and working in it, with the pack as the last argument. Left out is what that host adds for packs that read
 * the stack's configuration by the SDK (the variables PULUMI_CONFIG and PULUMI_NODEJS_*): a pack's own
 * configuration comes by another way, and ours reads no other.
 *
 * @param call gets all that the pack prints, then its exit code; the pack ends when it is cancelled
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
  // Not "exit": what it printed last may still be on its way then.
  child.on("close", (code) => {
    process.off("exit", end);
    answer(new messages.RunPluginResponse().setExitcode(code ?? 1));
    call.end();
  });
}

/** "NAME=value" each; of two with one name the later counts, as it does for the engine. */
function environment(list: string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}
