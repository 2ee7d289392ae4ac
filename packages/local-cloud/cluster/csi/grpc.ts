import { rm, stat, mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** Maximum length of a Unix socket's path in bytes: `sun_path` has 108, including the terminating NUL. */
const maxSocketPathBytes = 107;

/** Handles one RPC: returns the response or throws a `CallError`. */
export type Handler<Request> = (request: Request) => object | Promise<object>;

/** An error with a gRPC status code. */
export class CallError extends Error {
  constructor(
    readonly code: grpc.status,
    message: string,
  ) {
    super(message);
  }
}

/** Loads a service's definition from a .proto file in this directory. */
export function loadService(file: string, name: string): grpc.ServiceClientConstructor {
  const definition = loadSync(fileURLToPath(new URL(file, import.meta.url)), {
    keepCase: false,
    defaults: true,
  });
  let found: unknown = grpc.loadPackageDefinition(definition);
  for (const part of name.split(".")) found = (found as Record<string, unknown>)[part];
  return found as grpc.ServiceClientConstructor;
}

/** Wraps promise-based handlers for the gRPC library. Errors other than `CallError` are returned as INTERNAL. */
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
 * Listens on a Unix socket. Creates the socket's directory, and deletes an existing socket without checking whether a
 * process still listens on it.
 *
 * @throws Error when the path is too long for a socket, or exists and is not a socket
 */
export async function listen(server: grpc.Server, socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > maxSocketPathBytes) {
    throw new Error(
      `${socketPath}: a socket path has at most ${maxSocketPathBytes} bytes; use a shorter one`,
    );
  }
  await mkdir(path.dirname(socketPath), { recursive: true });
  const existing = await stat(socketPath).catch(() => undefined);
  if (existing !== undefined && !existing.isSocket())
    throw new Error(`${socketPath} exists and is not a socket: remove it`);
  await rm(socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socketPath}`, grpc.ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
