import * as grpc from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import { runPolicyPack } from "./policy-pack.ts";
import { bindLoopback } from "../plugin/bind.ts";

/** The engine sends whole programs' states; gRPC's own limit is 4 MiB, the engine's is this. */
const limits = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

type Bytes = Buffer;
type Described = Pick<Method, "path" | "requestStream" | "responseStream">;
type Method = grpc.MethodDefinition<Bytes, Bytes>;

/** A language host that can do what the one behind it can, and run policy packs. */
export interface Proxy {
  readonly port: number;
  stop(): void;
}

/**
 * Serves every call of a language host by asking the one behind, message for message, unread. Only the start
 * of a policy pack is answered here: the newest host that is published as a Go module refuses it.
 *
 * @param hostPort where the host behind listens, on 127.0.0.1
 */
export async function serveProxy(hostPort: number): Promise<Proxy> {
  const server = new grpc.Server(limits);
  const host = new grpc.Client(`127.0.0.1:${hostPort}`, grpc.credentials.createInsecure(), limits);
  const definitions = Object.entries(services.LanguageRuntimeService).map(
    ([name, method]) => [name, unread(method as Described)] as const,
  );
  const handlers = definitions.map(([name, method]) => [name, passOn(host, method)] as const);
  server.addService(Object.fromEntries(definitions), {
    ...Object.fromEntries(handlers),
    runPlugin: (call: grpc.ServerWritableStream<Bytes, Bytes>) => {
      const request = messages.RunPluginRequest.deserializeBinary(call.request);
      if (request.getKind() === "analyzer") runPolicyPack(request, call);
      else passStream(host, unread(services.LanguageRuntimeService.runPlugin), call);
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

/** The method with its messages left as they come. */
function unread({ path, requestStream, responseStream }: Described): Method {
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

/** A language host takes one message a call, and answers with one or, in two methods, with a stream. */
function passOn(host: grpc.Client, method: Method): grpc.UntypedHandleCall {
  if (method.responseStream) {
    return (call: grpc.ServerWritableStream<Bytes, Bytes>) => {
      passStream(host, method, call);
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

function passStream(host: grpc.Client, method: Method, call: grpc.ServerWritableStream<Bytes, Bytes>): void {
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
