import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";

/** What the push gateway's password needs to know. */
export interface PushPasswordArgs {
  /** The namespace of the gateway. */
  namespace: pulumi.Input<string>;
  /** Labels of its Secret. */
  labels: Record<string, string>;
  /** Whether the engine refuses to delete it: CI machines know no other. */
  protect: boolean;
}

const USER = "ci";

/** A generated password of the push gateway: in the clear for who asks, as a bcrypt hash for the gateway. */
export class PushPassword extends pulumi.ComponentResource {
  /** "USER:PASSWORD", a secret. */
  readonly credentials: pulumi.Output<string>;
  private readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: PushPasswordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:PushPassword", name, {}, opts);
    // Letters and digits only: it goes through URLs, shells and headers.
    const password = new RandomPassword(
      `${name}-generated`,
      { length: 32, special: false },
      { parent: this, protect: args.protect },
    );
    this.credentials = pulumi.secret(pulumi.interpolate`${USER}:${password.result}`);
    const secret = new Secret(
      `${name}-secret`,
      {
        // Named by the engine and never changed: another password is another name, and so new pods.
        metadata: { namespace: args.namespace, labels: args.labels },
        immutable: true,
        stringData: {
          user: USER,
          password: password.result,
          credentials: this.credentials,
          "web.yml": pulumi.interpolate`basic_auth_users:\n  ${USER}: ${password.bcryptHash}\n`,
        },
      },
      { parent: this },
    );
    this.secretName = secret.metadata.name;
    this.registerOutputs({ credentials: this.credentials });
  }

  /** For a scrape. */
  asBasicAuth() {
    const key = (of: string) => ({ name: this.secretName, key: of });
    return { username: key("user"), password: key("password") };
  }

  /** For a variable of a container that asks the gateway. */
  asEnvironment() {
    return { name: this.secretName, key: "credentials" };
  }

  /** For the gateway: its web configuration, which has the hash alone. */
  asVolume() {
    return { secretName: this.secretName, items: [{ key: "web.yml", path: "web.yml" }] };
  }
}
