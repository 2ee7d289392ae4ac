import * as grpc from "@grpc/grpc-js";

/** Lets the server listen on a free port of 127.0.0.1. @returns the port */
export function bindLoopback(server: grpc.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
}
