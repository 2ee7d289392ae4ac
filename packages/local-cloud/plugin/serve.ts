import * as grpc from "@grpc/grpc-js";
import anys from "google-protobuf/google/protobuf/any_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import empties from "google-protobuf/google/protobuf/empty_pb.js";
import plugins from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import { endWithParent } from "./parent.ts";
import { PartialCreateError, type Change, type Plugin, type Subject } from "./plugin.ts";
import { isValues, type Value, type Values } from "./values.ts";
import { bindLoopback } from "./bind.ts";

/**
 * Maximum message size in bytes, as in the engine: requests contain whole manifests and states. gRPC's
 * default is 4 MiB.
 */
const maxMessageBytes = 400 * 1024 * 1024;

/**
 * Serves the plugin to the engine that started this process, until the engine exits. Replaces the SDK's
 * `provider.main`, which does not pass the provider's configuration and the preview flag to the plugin; real
 * providers use both.
 */
export async function serve(plugin: Plugin): Promise<void> {
  const { port } = await listen(plugin);
  endWithParent();
  // The engine reads the port from standard output.
  process.stdout.write(`${port}\n`);
}

/** Serves the plugin on a free port of 127.0.0.1 until it is stopped. */
export async function listen(plugin: Plugin): Promise<{ port: number; stop: () => void }> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
  });
  server.addService(services.ResourceProviderService, handlers(plugin));
  const port = await bindLoopback(server);
  return {
    port,
    stop: () => {
      server.forceShutdown();
    },
  };
}

function handlers(plugin: Plugin): grpc.UntypedServiceImplementation {
  return {
    getPluginInfo: unary(() => new plugins.PluginInfo().setVersion(plugin.version)),
    getSchema: unary(() => new messages.GetSchemaResponse().setSchema("{}")),
    attach: unary(() => new empties.Empty()),
    // A cancellation is ignored, so that running operations complete: an interrupted operation could leave resources
    // that the state doesn't contain.
    cancel: unary(() => new empties.Empty()),
    checkConfig: unary((request: messages.CheckRequest) =>
      new messages.CheckResponse().setInputs(request.getNews()),
    ),
    configure: unary((request: messages.ConfigureRequest) => {
      plugin.configure(fromStruct(request.getArgs()));
      return new messages.ConfigureResponse().setSupportspreview(true);
    }),
    invoke: unary(async (request: messages.InvokeRequest) => {
      const result = await plugin.invoke(request.getTok(), fromStruct(request.getArgs()));
      return new messages.InvokeResponse().setReturn(toStruct(result));
    }),
    ...resourceHandlers(plugin),
  };
}

function resourceHandlers(plugin: Plugin): grpc.UntypedServiceImplementation {
  return {
    check: unary((request: messages.CheckRequest) => check(plugin, request)),
    diff: unary((request: messages.DiffRequest) => diff(plugin, request)),
    create: unary(async (request: messages.CreateRequest) => {
      const inputs = fromStruct(request.getProperties());
      const made = await plugin.create({ ...subject(request), inputs, preview: request.getPreview() });
      return new messages.CreateResponse().setId(made.id).setProperties(toStruct(made.state));
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const found = await plugin.read({
        ...subject(request),
        id: request.getId(),
        inputs: fromStruct(request.getInputs()),
        state: fromStruct(request.getProperties()),
      });
      // An empty ID means that the resource does not exist.
      if (found === undefined) return new messages.ReadResponse();
      const response = new messages.ReadResponse().setId(found.id);
      return response.setProperties(toStruct(found.state)).setInputs(toStruct(found.inputs));
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const state = await plugin.update({ ...difference(request), preview: request.getPreview() });
      return new messages.UpdateResponse().setProperties(toStruct(state));
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      const state = fromStruct(request.getProperties());
      await plugin.delete({ ...subject(request), id: request.getId(), state });
      return new empties.Empty();
    }),
  };
}

function check(plugin: Plugin, request: messages.CheckRequest): messages.CheckResponse {
  const olds = request.getOlds();
  const { inputs, failures } = plugin.check({
    ...subject(request),
    before: olds === undefined || olds.getFieldsMap().getLength() === 0 ? undefined : fromStruct(olds),
    inputs: fromStruct(request.getNews()),
    seed: request.getRandomseed_asU8(),
  });
  const response = new messages.CheckResponse().setInputs(toStruct(inputs));
  for (const { property, reason } of failures) {
    response.addFailures(new messages.CheckFailure().setProperty(property).setReason(reason));
  }
  return response;
}

function diff(plugin: Plugin, request: messages.DiffRequest): messages.DiffResponse {
  const { changes, deleteBeforeReplace } = plugin.diff(difference(request));
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse()
    .setChanges(changes.length === 0 ? DIFF_NONE : DIFF_SOME)
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(true);
  for (const change of changes) {
    const property = change.path.split(/[.[]/)[0] ?? change.path;
    response.addDiffs(property);
    if (change.replace) response.addReplaces(property);
    const detail = new messages.PropertyDiff().setKind(kindOf(change)).setInputdiff(true);
    response.getDetaileddiffMap().set(change.path, detail);
  }
  return response;
}

function kindOf({ kind, replace }: Change): messages.PropertyDiff.Kind {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = messages.PropertyDiff.Kind;
  const [inPlace, anew] = {
    add: [ADD, ADD_REPLACE] as const,
    delete: [DELETE, DELETE_REPLACE] as const,
    update: [UPDATE, UPDATE_REPLACE] as const,
  }[kind];
  return replace ? anew : inPlace;
}

/** Returns the type and name of a request's resource, the last parts of its URN. */
function subject(request: { getUrn(): string }): Subject {
  const [, , types = "", ...name] = request.getUrn().split("::");
  return { type: types.split("$").at(-1) ?? types, name: name.join("::") };
}

function difference(request: messages.DiffRequest | messages.UpdateRequest) {
  return {
    ...subject(request),
    id: request.getId(),
    state: fromStruct(request.getOlds()),
    before: fromStruct(request.getOldInputs()),
    inputs: fromStruct(request.getNews()),
  };
}

/** Returns a handler of a unary call. The message of a thrown error is shown to the user. */
function unary<Request, Response>(
  work: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => work(call.request))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          const metadata = error instanceof PartialCreateError ? detailsOf(error) : undefined;
          callback({ code: grpc.status.UNKNOWN, message, details: message, metadata });
        },
      );
  };
}

/** Returns the metadata from which the engine reads a partially created resource: gRPC's standard error details. */
function detailsOf({ message, made }: PartialCreateError): grpc.Metadata {
  const failure = new messages.ErrorResourceInitFailed()
    .setId(made.id)
    .setProperties(toStruct(made.state))
    .setReasonsList([message]);
  const detail = new anys.Any();
  detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statuses.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function fromStruct(struct: structs.Struct | undefined): Values {
  const values = struct?.toJavaScript() as Value | undefined;
  return isValues(values) ? values : {};
}

/** Converts values to a protocol buffer, which can't contain undefined: such values are removed, as in JSON. */
function toStruct(values: Values): structs.Struct {
  return structs.Struct.fromJavaScript(
    JSON.parse(JSON.stringify(values)) as Record<string, structs.JavaScriptValue>,
  );
}
