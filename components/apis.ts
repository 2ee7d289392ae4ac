import { getNetwork } from "@pulumi/gcp/compute/getNetwork.js";
import { getEngineVersions } from "@pulumi/gcp/container/getEngineVersions.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { getAccount } from "@pulumi/gcp/serviceaccount/getAccount.js";
import * as pulumi from "@pulumi/pulumi";
import { waitUntilEnabled } from "./api-readiness.ts";

/** Arguments of the Apis component. */
export interface ApisArgs {
  /** Google project id. */
  project: string;
}

/** The provider needs this API to find out whether other APIs are enabled. */
const FIRST = { roles: "cloudresourcemanager.googleapis.com" };
/**
 * APIs that the program calls. It enables them after the API in FIRST. An API rejects requests in a project where it is
 * not enabled. Service Usage, which enables APIs, is missing here because it is enabled in every project.
 */
const OTHERS = {
  compute: "compute.googleapis.com",
  container: "container.googleapis.com",
  accounts: "iam.googleapis.com",
};

/**
 * For each API, a read-only request that shows whether the API is ready. Only the error "not enabled" means that it
 * isn't; any other response, even "not found" or "permission denied", means that it is.
 */
const PROBES: Record<keyof typeof OTHERS, (opts: pulumi.InvokeOptions) => Promise<unknown>> = {
  compute: (opts) => getNetwork({ name: "default" }, opts),
  container: (opts) => getEngineVersions({}, opts),
  accounts: (opts) => getAccount({ accountId: "k8sfv-probe" }, opts),
};

/** Enables Google's APIs. They stay enabled when the stack is destroyed, because others in the project may use them. */
export class Apis extends pulumi.ComponentResource {
  /**
   * One resource for each API; resolves when all APIs accept requests. Resources that are created through an API depend
   * on this, because a newly enabled API rejects requests for some minutes, and the provider doesn't retry them.
   */
  readonly services: pulumi.Input<pulumi.Resource[]>;

  constructor(name: string, args: ApisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:google:Apis", name, args, opts);
    const enable = (apis: Record<string, string>, after: Service[]) =>
      Object.entries(apis).map(
        ([what, service]) =>
          new Service(
            `${name}-${what}`,
            { project: args.project, service, disableOnDestroy: false },
            { parent: this, dependsOn: after },
          ),
      );
    const first = enable(FIRST, []);
    const services = [...first, ...enable(OTHERS, first)];
    this.services = pulumi.runtime.isDryRun() ? services : this.ready(services);
    this.registerOutputs();
  }

  private ready(services: Service[]): pulumi.Output<Service[]> {
    return pulumi.all(services.map(({ id }) => id)).apply(async () => {
      const waits = Object.entries(PROBES).map(([what, probe]) =>
        waitUntilEnabled(OTHERS[what as keyof typeof OTHERS], () => probe({ parent: this, async: true })),
      );
      await Promise.all(waits);
      return services;
    });
  }
}
