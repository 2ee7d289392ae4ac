import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import * as pulumi from "@pulumi/pulumi";

/** HTTP endpoint of a metrics store, with authentication. */
export interface EndpointArgs {
  /** URL without credentials. */
  url: string;
  /** User name for basic authentication. @default none */
  user?: string;
  /** Password of the user. */
  password?: pulumi.Input<string>;
  /** Bearer token, instead of a user and password. @default none */
  token?: pulumi.Input<string>;
}

/** Arguments of {@link remoteWriteSpec}. */
export interface RemoteWriteArgs {
  /** Namespace of the Prometheus resource and of the Secrets. */
  namespace: pulumi.Input<string>;
  /** Receiver of all samples, in addition to Prometheus's own storage. @default none */
  remoteWrite?: EndpointArgs;
  /** Long-term store, which Grafana queries. @default none */
  longTerm?: EndpointArgs;
}

/** Name of the long-term store's queue: the label `remote_name` of Prometheus's metrics about the queue. */
export const LONG_TERM_QUEUE = "long-term";

/**
 * Labels that the Prometheus Operator adds to all sent samples (`externalLabels`). They are removed from the samples
 * for the long-term store, because the series in Prometheus's own storage don't have them. With these labels, the
 * dashboards' tables would have two more columns, and history that is copied into the store would be in separate
 * series.
 */
const EXTERNAL_LABELS = "prometheus|prometheus_replica";

/**
 * Returns the `remoteWrite` of a Prometheus resource, and creates the Secrets that it refers to.
 *
 * @param name - prefix of the resources' names
 * @returns undefined without a receiver
 */
export function remoteWriteSpec(name: string, args: RemoteWriteArgs, parent: pulumi.Resource) {
  const { namespace, remoteWrite, longTerm } = args;
  const receivers = [];
  if (remoteWrite !== undefined) {
    const secret = {
      name: `${name}-remote-write-secret`,
      metadata: { name: "prometheus-remote-write", namespace },
    };
    receivers.push({ url: remoteWrite.url, ...authentication(remoteWrite, secret, parent) });
  }
  if (longTerm !== undefined) {
    const secret = {
      name: `${name}-long-term-secret`,
      metadata: { name: "prometheus-long-term", namespace },
    };
    receivers.push({
      name: LONG_TERM_QUEUE,
      url: longTerm.url,
      ...authentication(longTerm, secret, parent),
      writeRelabelConfigs: [{ action: "labeldrop", regex: EXTERNAL_LABELS }],
    });
  }
  return receivers.length === 0 ? undefined : receivers;
}

function authentication(
  { user, password, token }: EndpointArgs,
  { name, metadata }: { name: string; metadata: { name: string; namespace: pulumi.Input<string> } },
  parent: pulumi.Resource,
) {
  const secretOf = (stringData: Record<string, pulumi.Input<string>>) => {
    const secret = new Secret(name, { metadata, stringData }, { parent });
    return (key: string) => ({ name: secret.metadata.name, key });
  };
  if (user !== undefined && password !== undefined) {
    const key = secretOf({ user, password: pulumi.secret(password) });
    return { basicAuth: { username: key("user"), password: key("password") } };
  }
  if (token === undefined) return {};
  return { authorization: { credentials: secretOf({ token: pulumi.secret(token) })("token") } };
}
