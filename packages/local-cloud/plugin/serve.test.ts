import { credentials, type ServiceError } from "@grpc/grpc-js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RandomProvider } from "../random/provider.ts";
import { PartialCreateError } from "./plugin.ts";
import { listen } from "./serve.ts";

const urn = "urn:pulumi:local::k8sfv::a:b:C$random:index/randomString:RandomString::pass::word";
let client: InstanceType<typeof services.ResourceProviderClient>;
let stop: () => void;

beforeAll(async () => {
  const server = await listen(new RandomProvider("1.2.3"));
  stop = server.stop;
  client = new services.ResourceProviderClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
});

afterAll(() => {
  client.close();
  stop();
});

/** Calls one method of the provider over gRPC, as the Pulumi engine does. */
function call<Request, Response>(
  method: (request: Request, done: (error: Error | null, response: Response) => void) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method.call(client, request, (error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}

function struct(values: Record<string, structs.JavaScriptValue>): structs.Struct {
  return structs.Struct.fromJavaScript(values);
}

test("passes calls to the plugin and returns its results", async () => {
  const configured = await call(
    (request: messages.ConfigureRequest, done: (e: Error | null, r: messages.ConfigureResponse) => void) =>
      client.configure(request, done),
    new messages.ConfigureRequest(),
  );
  expect(configured.getSupportspreview()).toBe(true);

  const created = await call(
    (request: messages.CreateRequest, done: (e: Error | null, r: messages.CreateResponse) => void) =>
      client.create(request, done),
    new messages.CreateRequest().setUrn(urn).setProperties(struct({ length: 9 })),
  );
  expect(created.getId()).toHaveLength(9);
  expect(created.getProperties()?.toJavaScript()).toEqual({ length: 9, result: created.getId() });

  const compared = await call(
    (request: messages.DiffRequest, done: (e: Error | null, r: messages.DiffResponse) => void) =>
      client.diff(request, done),
    new messages.DiffRequest()
      .setUrn(urn)
      .setOldInputs(struct({ length: 9 }))
      .setNews(struct({ length: 8 })),
  );
  expect(compared.getReplacesList()).toEqual(["length"]);
});

test("returns the message of an error", async () => {
  const request = new messages.InvokeRequest().setTok("random:index:getDice");
  const failing = call(
    (one: messages.InvokeRequest, done: (e: Error | null, r: messages.InvokeResponse) => void) =>
      client.invoke(one, done),
    request,
  );
  await expect(failing).rejects.toThrow("does not emulate the function random:index:getDice");
});

test("returns a partially created resource with its error", async () => {
  const plugin = new RandomProvider("1.2.3");
  plugin.create = () =>
    Promise.reject(new PartialCreateError("no answer", { id: "k8sfv", state: { name: "k8sfv" } }));
  const server = await listen(plugin);
  const engine = new services.ResourceProviderClient(
    `127.0.0.1:${server.port}`,
    credentials.createInsecure(),
  );
  const error = await new Promise<ServiceError | null>((resolve) => {
    engine.create(new messages.CreateRequest().setUrn(urn), resolve);
  });
  engine.close();
  server.stop();
  expect(error?.details).toBe("no answer");
  const [bytes] = error?.metadata.get("grpc-status-details-bin") ?? [];
  const [detail] = statuses.Status.deserializeBinary(bytes as Buffer).getDetailsList();
  const known = messages.ErrorResourceInitFailed.deserializeBinary(
    detail?.getValue_asU8() ?? new Uint8Array(),
  );
  expect(known.getId()).toBe("k8sfv");
  expect(known.getProperties()?.toJavaScript()).toEqual({ name: "k8sfv" });
  expect(known.getReasonsList()).toEqual(["no answer"]);
});
