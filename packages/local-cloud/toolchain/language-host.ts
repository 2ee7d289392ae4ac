import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { ToolchainError } from "./go.ts";

/**
 * Code in the language host's main.go that sets the gRPC server options of the resource monitor, which the language
 * host serves to the program.
 */
const OPTIONS = "Options: rpcutil.OpenTracingServerInterceptorOptions(tracingSpan),";

/**
 * Go source of a handler that forwards unary calls. It decodes each message as the type `google.protobuf.Empty`, which
 * keeps all fields as unknown fields.
 */
const PASS_ON = `package main

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// passOn forwards calls that this host's SDK doesn't know to the engine, and returns the engine's responses.
func passOn(engine *grpc.ClientConn) grpc.ServerOption {
	return grpc.UnknownServiceHandler(func(_ interface{}, call grpc.ServerStream) error {
		method, ok := grpc.MethodFromServerStream(call)
		if !ok {
			return status.Error(codes.Internal, "a call without a method")
		}
		var request, response emptypb.Empty
		if err := call.RecvMsg(&request); err != nil {
			return err
		}
		if err := engine.Invoke(call.Context(), method, &request, &response); err != nil {
			return err
		}
		return call.SendMsg(&response)
	})
}
`;

/**
 * Patches Pulumi's Node.js language host so that it forwards gRPC calls that it doesn't know to the engine. A program
 * with the current SDK calls `SignalAndWaitForShutdown` before it exits, so that the engine can still delete resources.
 * The latest language host that is published as a Go module is that of SDK 3.68, which would respond with
 * UNIMPLEMENTED.
 *
 * @param module writable copy of the Go module github.com/pulumi/pulumi/sdk/v3
 * @throws ToolchainError when the host's source has changed
 */
export async function forwardUnknownCalls(module: string): Promise<void> {
  const folder = path.join(module, "nodejs/cmd/pulumi-language-nodejs");
  const main = path.join(folder, "main.go");
  const source = await readFile(main, "utf8");
  if (source.split(OPTIONS).length !== 2) {
    throw new ToolchainError("The language host's main.go has changed: update language-host.ts.");
  }
  const passing = OPTIONS.replace(/ (rpcutil.*),$/, " append($1, passOn(conn)),");
  await writeFile(main, source.replace(OPTIONS, passing));
  await writeFile(path.join(folder, "pass_on.go"), PASS_ON);
}
