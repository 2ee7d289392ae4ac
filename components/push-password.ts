import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword.js";

/** Arguments of the PushPassword component. */
export interface PushPasswordArgs {
  /** Namespace of the Pushgateway. */
  namespace: pulumi.Input<string>;
  /** Labels of the Secret. */
  labels: Record<string, string>;
  /**
   * Whether to set the resource option `protect` on the password. If the password is deleted, a new one is generated,
   * and pushes of CI jobs fail until they use it.
   */
  protect: boolean;
}

const USER = "ci";

/** Generates the Pushgateway's password, stored as plain text for clients and as a bcrypt hash for the Pushgateway. */
export class PushPassword extends pulumi.ComponentResource {
  /** "USER:PASSWORD", a secret. */
  readonly credentials: pulumi.Output<string>;
  private readonly secretName: pulumi.Output<string>;

  constructor(name: string, args: PushPasswordArgs, opts?: pulumi.ComponentResourceOptions) {
    super("k8sfv:kubernetes:PushPassword", name, {}, opts);
    // Letters and digits only, so that no URL, shell or header needs quoting.
    const password = new RandomPassword(
      `${name}-generated`,
      { length: 32, special: false },
      { parent: this, protect: args.protect },
    );
    this.credentials = pulumi.secret(pulumi.interpolate`${USER}:${password.result}`);
    const secret = new Secret(
      `${name}-secret`,
      {
        // The engine generates the Secret's name, so a changed password gets a Secret with a new name, and the pods are
        // replaced.
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

  /** Returns the `basicAuth` of a scrape. */
  asBasicAuth() {
    const key = (of: string) => ({ name: this.secretName, key: of });
    return { username: key("user"), password: key("password") };
  }

  /** Returns the Secret key with the credentials, for an environment variable. */
  asEnvironment() {
    return { name: this.secretName, key: "credentials" };
  }

  /** Returns a volume with the Pushgateway's web configuration, which contains the password only as a hash. */
  asVolume() {
    return { secretName: this.secretName, items: [{ key: "web.yml", path: "web.yml" }] };
  }
}
