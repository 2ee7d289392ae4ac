import { getNetwork } from "@pulumi/gcp/compute/getNetwork.js";
import { getEngineVersions } from "@pulumi/gcp/container/getEngineVersions.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import { getAccount } from "@pulumi/gcp/serviceaccount/getAccount.js";
import * as pulumi from "@pulumi/pulumi";
import { untilSwitchedOn } from "./api-readiness.ts";

/** Arguments of the APIs. */
export interface ApisArgs {
  /** Google project id. */
  project: string;
}

/** The provider asks this one about the project before it says whether another is on. */
const FIRST = { roles: "cloudresourcemanager.googleapis.com" };
/**
 * The APIs that the program calls, by what they are for. Each is refused in a project where nobody switched
 * it on. Service Usage itself is on in every project; it is what switches the others on.
 */
const OTHERS = {
  compute: "compute.googleapis.com",
  container: "container.googleapis.com",
  accounts: "iam.googleapis.com",
};

/**
 * Requests that need the API and change nothing. Any answer will do, "not found" and "permission denied" too; only
 * "not switched on" says that the API isn't ready.
 */
const PROBES: Record<keyof typeof OTHERS, (opts: pulumi.InvokeOptions) => Promise<unknown>> = {
  compute: (opts) => getNetwork({ name: "default" }, opts),
  container: (opts) => getEngineVersions({}, opts),
  accounts: (opts) => getAccount({ accountId: "k8sfv-probe" }, opts),
};

/** Google's APIs, switched on. They stay on when the environment goes: others in the project may use them. */
export class Apis extends pulumi.ComponentResource {
  /**
   * One resource per API. What is created through an API depends on them, and waits until they answer: one that was
   * just switched on refuses requests for some minutes, which the provider doesn't retry.
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
        untilSwitchedOn(OTHERS[what as keyof typeof OTHERS], () => probe({ parent: this, async: true })),
      );
      await Promise.all(waits);
      return services;
    });
  }
}
