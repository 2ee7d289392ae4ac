import { createHash } from "node:crypto";
import { isKnown, map, optionalText, type Values } from "../../plugin/values.ts";
import { ApiError } from "./api-error.ts";
import { numericId } from "./ids.ts";
import type { Data, Resource } from "./store.ts";

/**
 * Returns the email of the project's Compute Engine default service account:
 * NUMBER-compute@developer.gserviceaccount.com.
 */
export function defaultAccountEmail(project: string): string {
  const number = createHash("sha256").update(project).digest().readUIntBE(0, 5);
  return `${number}-compute@developer.gserviceaccount.com`;
}

/** Returns the path of the project's Compute Engine default service account. */
export function defaultAccountPath(project: string): string {
  return `projects/${project}/serviceAccounts/${defaultAccountEmail(project)}`;
}

/** Returns the account as Google creates it when Compute Engine is enabled. Some users disable or delete it. */
export function defaultAccount(project: string): Resource {
  const email = defaultAccountEmail(project);
  const name = defaultAccountPath(project);
  return {
    type: "gcp:serviceaccount/account:Account",
    inputs: { displayName: "Compute Engine default service account", disabled: false },
    outputs: { email, member: `serviceAccount:${email}`, name, project, uniqueId: numericId() },
    status: "ready",
    uses: [],
    inner: {},
  };
}

/**
 * Checks that the nodes' service account can be used. Nodes without a service account use the Compute Engine
 * default account. This includes the nodes of a new cluster's default pool, even if the pool is removed
 * immediately (terraform-provider-google#4435). Accounts of other projects are not checked.
 *
 * @param inputs arguments with a `nodeConfig`
 * @throws ApiError when the account is missing (with Google's message) or disabled (with our own message)
 */
export function checkNodeAccount(data: Data, project: string, inputs: Values): void {
  const given = optionalText(map(inputs, "nodeConfig"), "serviceAccount") ?? "default";
  const email = given === "default" ? defaultAccountEmail(project) : given;
  const isOwn =
    email === defaultAccountEmail(project) || email.endsWith(`@${project}.iam.gserviceaccount.com`);
  if (!isOwn || !isKnown(email)) return;
  const account = data.resources[`projects/${project}/serviceAccounts/${email}`];
  if (account === undefined) {
    throw new ApiError(400, `Service account "${email}" does not exist.`, "badRequest");
  }
  if (account.inputs["disabled"] !== true) return;
  throw new ApiError(400, `Service account "${email}" is disabled.`, "badRequest");
}
