import { rm, stat, mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** The longest path of a unix socket on Linux (`sun_path` has 108 bytes, the last a zero). */
const longestSocketPath = 107;

/** One call of a service: gets the request, returns the answer, throws `CallError` to refuse. */
export type Handler<Request> = (request: Request) => object | Promise<object>;

/** A refusal with one of gRPC's codes. */
export class CallError extends Error {
  constructor(
    readonly code: grpc.status,
    message: string,
  ) {
    super(message);
  }
}

/** Reads a service's definition from a proto file beside this one. */
export function loadService(file: string, name: string): grpc.ServiceClientConstructor {
  const definition = loadSync(fileURLToPath(new URL(file, import.meta.url)), {
    keepCase: false,
    defaults: true,
  });
  let found: unknown = grpc.loadPackageDefinition(definition);
  for (const part of name.split(".")) found = (found as Record<string, unknown>)[part];
  return found as grpc.ServiceClientConstructor;
}

/** Makes handlers of promises into those of the library. What is not a `CallError` becomes INTERNAL. */
export function implement(handlers: Record<string, Handler<never>>): grpc.UntypedServiceImplementation {
  const entries = Object.entries(handlers).map(([name, handler]) => {
    const handle: grpc.handleUnaryCall<unknown, object> = (call, callback) => {
      Promise.resolve(call.request as never)
        .then(handler)
        .then(
          (answer) => {
            callback(null, answer);
          },
          (error: unknown) => {
            const code = error instanceof CallError ? error.code : grpc.status.INTERNAL;
            callback({ code, details: error instanceof Error ? error.message : String(error) });
          },
        );
    };
    return [name, handle] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Listens on a unix socket; what a dead process left there is removed, and the folder made.
 *
 * @throws Error when the path is too long for a socket, or something other than a socket is there
 */
export async function listen(server: grpc.Server, socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > longestSocketPath) {
    throw new Error(`${socketPath}: a socket's path has at most ${longestSocketPath} bytes`);
  }
  await mkdir(path.dirname(socketPath), { recursive: true });
  const there = await stat(socketPath).catch(() => undefined);
  if (there !== undefined && !there.isSocket()) throw new Error(`${socketPath} is there and is not a socket`);
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
