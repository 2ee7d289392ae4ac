import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveProxy, type Proxy } from "./proxy.ts";

const dir = realpathSync(mkdtempSync(path.join(tmpdir(), "k8sfv-language-host-")));
const behind = new grpc.Server();
let proxy: Proxy;
let client: InstanceType<typeof services.LanguageRuntimeClient>;

beforeAll(async () => {
  behind.addService(services.LanguageRuntimeService, {
    run: (
      call: grpc.ServerUnaryCall<messages.RunRequest, messages.RunResponse>,
      callback: grpc.sendUnaryData<messages.RunResponse>,
    ) => {
      if (call.request.getProgram() === "wrong") {
        callback({ code: grpc.status.INVALID_ARGUMENT, details: "no such program" });
      } else callback(null, new messages.RunResponse().setError(`ran ${call.request.getProgram()}`));
    },
    runPlugin: (call: grpc.ServerWritableStream<unknown, messages.RunPluginResponse>) => {
      call.write(new messages.RunPluginResponse().setStdout(Buffer.from("one")));
      call.write(new messages.RunPluginResponse().setStdout(Buffer.from("two")));
      call.emit("error", { code: grpc.status.UNKNOWN, details: "not supported" });
    },
  });
  const hostPort = await new Promise<number>((resolve, reject) => {
    behind.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
  proxy = await serveProxy(hostPort);
  client = new services.LanguageRuntimeClient(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure());
});

afterAll(() => {
  client.close();
  proxy.stop();
  behind.forceShutdown();
  rmSync(dir, { recursive: true });
});

function run(program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.run(new messages.RunRequest().setProgram(program), (error, response) => {
      if (error) reject(error);
      else resolve(response.getError());
    });
  });
}

interface Ended {
  stdout: string;
  stderr: string;
  exitCode: number | undefined;
  error: string | undefined;
}

/** Runs a plugin until it exits. `onOutput` may cancel the call. */
function runPlugin(
  kind: string,
  pack: string,
  onOutput?: (call: grpc.ClientReadableStream<messages.RunPluginResponse>) => void,
): Promise<Ended> {
  const request = new messages.RunPluginRequest()
    .setKind(kind)
    .setPwd("/")
    .setArgsList(["127.0.0.1:4", "--verbose"])
    .setEnvList(["TWICE=first", "TWICE=a=b"])
    .setInfo(new messages.ProgramInfo().setProgramDirectory(pack));
  const call = client.runPlugin(request);
  const ended: Ended = { stdout: "", stderr: "", exitCode: undefined, error: undefined };
  return new Promise((resolve) => {
    call.on("data", (response: messages.RunPluginResponse) => {
      ended.stdout += Buffer.from(response.getStdout_asU8()).toString();
      ended.stderr += Buffer.from(response.getStderr_asU8()).toString();
      if (response.hasExitcode()) ended.exitCode = response.getExitcode();
      onOutput?.(call);
    });
    call.on("error", (error: grpc.ServiceError) => {
      resolve({ ...ended, error: error.details });
    });
    call.on("end", () => {
      resolve(ended);
    });
  });
}

/** Creates a policy pack in which `script` replaces the SDK's `run-policy-pack.js`. @returns its directory */
function pack(name: string, script: string): string {
  const folder = path.join(dir, name);
  const sdk = path.join(folder, "node_modules/@pulumi/pulumi/cmd");
  mkdirSync(sdk, { recursive: true });
  writeFileSync(path.join(sdk, "run-policy-pack.js"), script);
  return folder;
}

test("forwards responses and errors of the language host unchanged", async () => {
  expect(await run("right")).toBe("ran right");
  await expect(run("wrong")).rejects.toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: "no such program",
  });
  expect(await runPlugin("resource", "/")).toMatchObject({ stdout: "onetwo", error: "not supported" });
});

test("runs a policy pack and returns all its output", async () => {
  const script = `
    console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), env: process.env.TWICE }));
    console.error("a warning");
    process.exit(3);`;
  const folder = pack("a pack", script);
  const { stdout, stderr, exitCode, error } = await runPlugin("analyzer", folder);
  expect(JSON.parse(stdout)).toEqual({
    args: ["127.0.0.1:4", "--verbose", folder],
    cwd: folder,
    env: "a=b",
  });
  expect({ stderr, exitCode, error }).toEqual({ stderr: "a warning\n", exitCode: 3, error: undefined });
});

test("kills a policy pack when the engine cancels the call", async () => {
  const folder = pack("endless", "setInterval(() => 0, 1000); console.log(process.pid);");
  const { stdout, error } = await runPlugin("analyzer", folder, (call) => {
    call.cancel();
  });
  expect(error).toContain("Cancelled");
  const alive = () => {
    try {
      return process.kill(Number(stdout), 0);
    } catch {
      return false;
    }
  };
  await expect.poll(alive, { timeout: 5000 }).toBe(false);
});

test("reports the missing module if a policy pack has no SDK", async () => {
  const { error } = await runPlugin("analyzer", dir);
  expect(error).toContain("Cannot find module '@pulumi/pulumi/cmd/run-policy-pack'");
});
