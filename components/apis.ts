import { Service } from "@pulumi/gcp/projects/service.js";
import * as pulumi from "@pulumi/pulumi";

/** What the APIs need to know. */
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

/** Google's APIs, switched on. They stay on when the environment goes: others in the project may use them. */
export class Apis extends pulumi.ComponentResource {
  /** One resource an API. What is made through an API depends on it. */
  readonly services: Service[];

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
    this.services = [...first, ...enable(OTHERS, first)];
    this.registerOutputs();
  }
}
