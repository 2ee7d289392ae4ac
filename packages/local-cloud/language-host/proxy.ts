import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import { runPolicyPack } from "./policy-pack.ts";
import { bindLoopback } from "../plugin/bind.ts";

/** Maximum message sizes, as in the engine: requests contain the state of whole programs. gRPC's default is 4 MiB. */
const limits = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

type Bytes = Buffer;
type Described = Pick<Method, "path" | "requestStream" | "responseStream">;
type Method = grpc.MethodDefinition<Bytes, Bytes>;

/** A gRPC server that forwards to a language host and runs policy packs itself. */
export interface Proxy {
  readonly port: number;
  stop(): void;
}

/**
 * Serves the language host API by forwarding raw messages to the real host. Only RunPlugin of a policy pack
 * is handled here, because the latest language host that is published as a Go module rejects it.
 *
 * @param hostPort port of the real host on 127.0.0.1
 */
export async function serveProxy(hostPort: number): Promise<Proxy> {
  const server = new grpc.Server(limits);
  const host = new grpc.Client(`127.0.0.1:${hostPort}`, grpc.credentials.createInsecure(), limits);
  const definitions = Object.entries(services.LanguageRuntimeService).map(
    ([name, method]) => [name, rawMethod(method as Described)] as const,
  );
  const handlers = definitions.map(([name, method]) => [name, forwardUnary(host, method)] as const);
  server.addService(Object.fromEntries(definitions), {
    ...Object.fromEntries(handlers),
    runPlugin: (call: grpc.ServerWritableStream<Bytes, Bytes>) => {
      const request = messages.RunPluginRequest.deserializeBinary(call.request);
      if (request.getKind() === "analyzer") runPolicyPack(request, call);
      else forwardStream(host, rawMethod(services.LanguageRuntimeService.runPlugin), call);
    },
  });
  const port = await bindLoopback(server);
  return {
    port,
    stop: () => {
      server.forceShutdown();
      host.close();
    },
  };
}

/** Returns the method's definition without serialization, so that messages pass as raw bytes. */
function rawMethod({ path, requestStream, responseStream }: Described): Method {
  const same = (bytes: Bytes) => bytes;
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Forwards a call. All methods of a language host take one message; two of them return a stream. */
function forwardUnary(host: grpc.Client, method: Method): grpc.UntypedHandleCall {
  if (method.responseStream) {
    return (call: grpc.ServerWritableStream<Bytes, Bytes>) => {
      forwardStream(host, method, call);
    };
  }
  return (call: grpc.ServerUnaryCall<Bytes, Bytes>, callback: grpc.sendUnaryData<Bytes>) => {
    const passed = host.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      call.request,
      call.metadata,
      callback,
    );
    call.on("cancelled", () => {
      passed.cancel();
    });
  };
}

function forwardStream(
  host: grpc.Client,
  method: Method,
  call: grpc.ServerWritableStream<Bytes, Bytes>,
): void {
  const passed = host.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    call.request,
    call.metadata,
  );
  passed.on("data", (message: Bytes) => call.write(message));
  passed.on("error", (error) => call.emit("error", error));
  passed.on("end", () => call.end());
  call.on("cancelled", () => {
    passed.cancel();
  });
}
