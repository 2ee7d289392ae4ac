import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";

/** Where Prometheus sends everything it stores, for a team that outgrows one machine. */
export interface RemoteWriteArgs {
  /** The receiver's URL. */
  url: string;
  /** The user it knows us by. @default no authentication */
  user?: string;
  /** That user's password. */
  password?: pulumi.Input<string>;
}

/** A Prometheus resource's `remoteWrite`, and the Secret that it names. */
export function remoteWriteSpec(
  name: string,
  args: RemoteWriteArgs | undefined,
  namespace: pulumi.Input<string>,
  parent: pulumi.Resource,
) {
  if (args === undefined) return undefined;
  const { url, user, password } = args;
  if (user === undefined || password === undefined) return [{ url }];
  const secret = new Secret(
    `${name}-secret`,
    {
      metadata: { name: "prometheus-remote-write", namespace },
      stringData: { user, password: pulumi.secret(password) },
    },
    { parent },
  );
  const key = (of: string) => ({ name: secret.metadata.name, key: of });
  return [{ url, basicAuth: { username: key("user"), password: key("password") } }];
}
