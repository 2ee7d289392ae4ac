import { expect, test } from "vitest";
import type { Operation } from "./model/operation.ts";
import { permissionFor, permissionMissing } from "./model/permissions.ts";
import { resourceTypes } from "./resources/index.ts";

test.each([
  ["compute.Network", "create", "compute.networks.create"],
  ["compute.Address", "create", "compute.addresses.createInternal"],
  ["compute.ResourcePolicy", "delete", "compute.resourcePolicies.delete"],
  ["compute.RouterNat", "create", "compute.routers.update"],
  ["compute.DiskResourcePolicyAttachment", "create", "compute.disks.addResourcePolicies"],
  ["container.Cluster", "update", "container.clusters.update"],
  ["container.NodePool", "delete", "container.clusters.update"],
  ["serviceaccount.Account", "create", "iam.serviceAccounts.create"],
  ["projects.IAMMember", "create", "resourcemanager.projects.setIamPolicy"],
  ["projects.Service", "create", "serviceusage.services.enable"],
] as [string, Operation, string][])("%s, %s needs %s", (type, operation, permission) => {
  expect(permissionFor({ type, operation })).toBe(permission);
  const path = "calico-test/x";
  const { message } = permissionMissing({ type, operation, name: "x", path, project: "calico-test" });
  expect(message).toContain("googleapi: Error 403: ");
  expect(message).toContain(permission);
  expect(message).toMatch(/, forbidden$/);
});

test("returns for every type a permission of the service to which the type belongs", () => {
  for (const { token } of resourceTypes) {
    const [, module = "", title = ""] = token.split(":");
    const kind = title.charAt(0).toUpperCase() + title.slice(1);
    const permission = permissionFor({ type: `${module.split("/")[0] ?? ""}.${kind}`, operation: "create" });
    expect(permission, token).toMatch(
      /^(compute|container|iam|resourcemanager|serviceusage)\.[a-zA-Z]+\.[a-zA-Z]+$/,
    );
  }
});
