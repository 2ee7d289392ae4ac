import { ApiError } from "./api-error.ts";
import type { OperationContext, Operation } from "./operation.ts";

type Permissions = Partial<Record<Operation, string>>;

/** Permissions whose names don't follow from type and operation. */
const particular: Record<string, Permissions> = {
  "compute.Address": {
    create: "compute.addresses.createInternal",
    delete: "compute.addresses.deleteInternal",
  },
  "compute.NetworkPeering": {
    create: "compute.networks.addPeering",
    read: "compute.networks.get",
    update: "compute.networks.updatePeering",
    delete: "compute.networks.removePeering",
  },
  "compute.RouterNat": ofParent("compute.routers"),
  "compute.DiskResourcePolicyAttachment": {
    create: "compute.disks.addResourcePolicies",
    read: "compute.disks.get",
    delete: "compute.disks.removeResourcePolicies",
  },
  "container.NodePool": ofParent("container.clusters"),
  "serviceaccount.Account": ofKind("iam.serviceAccounts"),
  "projects.IAMMember": {
    create: "resourcemanager.projects.setIamPolicy",
    read: "resourcemanager.projects.getIamPolicy",
    delete: "resourcemanager.projects.setIamPolicy",
  },
  "projects.Service": {
    create: "serviceusage.services.enable",
    read: "serviceusage.services.list",
    update: "serviceusage.services.list",
    delete: "serviceusage.services.disable",
  },
};

function ofKind(kind: string): Required<Permissions> {
  return {
    create: `${kind}.create`,
    read: `${kind}.get`,
    update: `${kind}.update`,
    delete: `${kind}.delete`,
  };
}

/**
 * Returns the permissions for a child resource. Each change of it needs the permission to update its parent, e.g.
 * `container.clusters.update` for a node pool. `kind` is the parent's type.
 */
function ofParent(kind: string): Required<Permissions> {
  const update = `${kind}.update`;
  return { create: update, read: `${kind}.get`, update, delete: update };
}

/** Returns Google's name of the permission that the operation needs, e.g. `compute.subnetworks.create`. */
export function permissionFor({ type, operation }: Pick<OperationContext, "type" | "operation">): string {
  const [service = "", kind = ""] = type.split(".");
  const plural = kind.replace(/y$/, "ie").replace(/s$/, "se");
  const name = `${plural.charAt(0).toLowerCase()}${plural.slice(1)}s`;
  return particular[type]?.[operation] ?? ofKind(`${service}.${name}`)[operation];
}

/** Error for a missing permission, with the message of the Google service that checks the permission. */
export function permissionMissing(context: OperationContext): ApiError {
  const permission = permissionFor(context);
  const { project, path } = context;
  const resource = `projects/${project}`;
  const info = (domain: string, reason: string) => ({
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    domain,
    metadata: { permission, resource },
    reason,
  });
  switch (permission.split(".")[0]) {
    case "container":
      return new ApiError(403, `Required "${permission}" permission(s) for "${resource}".`, "forbidden");
    case "iam":
    case "resourcemanager":
      return new ApiError(
        403,
        `Permission '${permission}' denied on resource (or it may not exist).`,
        "forbidden",
        [info("iam.googleapis.com", "IAM_PERMISSION_DENIED")],
      );
    case "serviceusage":
      return new ApiError(
        403,
        `Permission denied to ${verb(permission)} service [${service(path)}]`,
        "forbidden",
        [info("serviceusage.googleapis.com", "AUTH_PERMISSION_DENIED")],
      );
    default:
      return new ApiError(403, `Required '${permission}' permission for '${path}'`, "forbidden");
  }
}

function verb(permission: string): string {
  return permission.split(".").at(-1) ?? "";
}

function service(path: string): string {
  return path.split("/").at(-1) ?? "";
}
