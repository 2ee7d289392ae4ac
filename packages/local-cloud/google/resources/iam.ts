import { createHash } from "node:crypto";
import { text, type Value } from "../../plugin/values.ts";
import { ApiError } from "../model/api-error.ts";
import { matches } from "../model/checks.ts";
import { type ResourceType } from "../model/resource-type.ts";
import { numericId } from "../model/ids.ts";

const accountType = "gcp:serviceaccount/account:Account";

/** A service account. Nothing in the local cloud runs as one. */
export const account: ResourceType = {
  token: accountType,
  title: "service account",
  kind: "service_account",
  scope: "global",
  api: "iam.googleapis.com",
  checks: { accountId: matches("^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$") },
  importsExisting: (inputs) => inputs["createIgnoreAlreadyExists"] === true,
  path: (inputs, { project }) =>
    `projects/${project}/serviceAccounts/${text(inputs, "accountId")}@${project}.iam.gserviceaccount.com`,
  admit: ({ path, previous }) => {
    const email = path.split("/").at(-1) ?? "";
    const uniqueId = previous?.outputs["uniqueId"] ?? numericId();
    return { outputs: { email, member: `serviceAccount:${email}`, name: path, uniqueId } };
  },
};

/** Kinds of IAM members that a project's policy can contain. */
const memberKinds =
  /^(user|group|serviceAccount|domain|principal|principalSet):.+$|^(allUsers|allAuthenticatedUsers)$/;

/** A role of a member in the project. Stored and returned, but not enforced. */
export const projectMember: ResourceType = {
  token: "gcp:projects/iAMMember:IAMMember",
  title: "IAM Member",
  kind: "project",
  scope: "global",
  api: "cloudresourcemanager.googleapis.com",
  checks: { role: checkRole, member: checkMember },
  // Creating an existing member succeeds: the real provider adds the member to the project's policy.
  importsExisting: () => true,
  path: (inputs, { project }) => `${project}/${text(inputs, "role")}/${text(inputs, "member")}`,
  importPath: (id) => {
    const parts = id.split(/\s+/).filter((part) => part !== "");
    if (parts.length >= 3) return parts.slice(0, 3).join("/");
    throw new Error(
      `Wrong number of parts to Member id [${parts.join(" ")}]; expected 'resource_name role member [condition_title]'.`,
    );
  },
  admit: ({ path, inputs, place, data }) => {
    const [kind, email = ""] = text(inputs, "member").split(":");
    const own = email.endsWith(`@${place.project}.iam.gserviceaccount.com`);
    const known = data.resources[`projects/${place.project}/serviceAccounts/${email}`] !== undefined;
    if (kind === "serviceAccount" && own && !known) {
      throw new ApiError(400, `Service account ${email} does not exist.`, "badRequest");
    }
    return { outputs: { etag: createHash("sha256").update(path).digest("base64").slice(0, 12) } };
  },
};

function checkRole(value: Value): string | undefined {
  const ok = typeof value === "string" && /^((projects|organizations)\/[^/]+\/)?roles\/[\w.]+$/.test(value);
  return ok ? undefined : `Role ${JSON.stringify(value)} is not of the form roles/NAME`;
}

function checkMember(value: Value): string | undefined {
  const ok = typeof value === "string" && memberKinds.test(value);
  return ok
    ? undefined
    : `invalid value for member (IAM members must have one of the values outlined here: https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)`;
}
