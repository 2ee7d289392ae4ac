import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";

/** A resource in a stack's exported state; only the fields that its registration needs. */
interface StateResource {
  urn: string;
  type: string;
  custom?: boolean;
  inputs?: Record<string, unknown>;
  parent?: string;
  provider?: string;
  dependencies?: string[];
  protect?: boolean;
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  additionalSecretOutputs?: string[];
  deletedWith?: string;
}

/**
 * Key of an object that represents a special value in exported state (`Key` in pulumi/sdk/go/common/resource/sig). The
 * program's only special values are secrets.
 */
const SECRET = "4dabf18193072939515e22adb298388d";

class AnyProvider extends pulumi.ProviderResource {}
class AnyResource extends pulumi.CustomResource {}

const state = JSON.parse(readFileSync("resources.json", "utf8")) as StateResource[];
const made = new Map<string, pulumi.Resource>();
for (const resource of state) {
  const name = resource.urn.split("::").at(-1) ?? "";
  // The engine creates the stack and the default providers.
  if (resource.type === "pulumi:pulumi:Stack") continue;
  if (resource.type.startsWith("pulumi:providers:") && name.startsWith("default")) continue;
  made.set(resource.urn, register(resource, name));
}

function register(resource: StateResource, name: string): pulumi.Resource {
  const inputs = withSecrets(resource.inputs ?? {}) as Record<string, pulumi.Input<unknown>>;
  delete inputs["__internal"];
  const [providerUrn = ""] = (resource.provider ?? "").split(/::(?=[^:]*$)/);
  const opts = {
    parent: made.get(resource.parent ?? ""),
    dependsOn: (resource.dependencies ?? []).flatMap((urn) => made.get(urn) ?? []),
    protect: resource.protect,
    ignoreChanges: resource.ignoreChanges,
    replaceOnChanges: resource.replaceOnChanges,
    additionalSecretOutputs: resource.additionalSecretOutputs,
    deletedWith: made.get(resource.deletedWith ?? ""),
  };
  if (resource.custom !== true) return new pulumi.ComponentResource(resource.type, name, inputs, opts);
  const version = /::default_([\d_]+)$/.exec(providerUrn)?.[1]?.replaceAll("_", ".");
  if (resource.type.startsWith("pulumi:providers:")) {
    return new AnyProvider(resource.type.split(":").at(-1) ?? "", name, inputs, opts);
  }
  const provider = made.get(providerUrn) as pulumi.ProviderResource | undefined;
  return new AnyResource(resource.type, name, inputs, { ...opts, provider, version });
}

/** Converts secrets of exported state to the SDK's secrets. */
function withSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSecrets);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value)
    return pulumi.secret(JSON.parse((value as unknown as { plaintext: string }).plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withSecrets(member)]));
}
