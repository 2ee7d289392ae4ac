import { fileURLToPath } from "node:url";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import type * as pulumi from "@pulumi/pulumi";
import { buildSync } from "esbuild";
import { RESTRICTED } from "./conventions.ts";
import {
  ATTEMPT_TIMEOUT_SECONDS,
  MAX_HOLD_SECONDS,
  MIN_UPLOAD_BYTES_PER_SECOND,
  UPLOAD_GRACE_SECONDS,
} from "./push-proxy/limits.ts";

/** Arguments of {@link pushProxy}. */
export interface PushProxyArgs {
  /** Namespace of the pod. */
  namespace: pulumi.Input<string>;
  /** Labels of the ConfigMap. */
  labels: Record<string, string>;
  /** Image of the container. It must contain a shell and Node 20 or newer as the command `node`. */
  image: string;
  /**
   * Image of the Pushgateway. It must contain `cp`: an init container copies the Pushgateway's program for the proxy's
   * canary.
   */
  gatewayImage: string;
  /** Name and number of the proxy's port. */
  port: { name: string; number: number };
  /** Port of the Pushgateway on 127.0.0.1. */
  gatewayPort: number;
  /** The Pushgateway's persistence file. */
  file: string;
  /** Volume that contains `file`, and its mount path. */
  data: { name: string; mountPath: string };
  /** Key of a Secret with USER:PASSWORD of the Pushgateway. @default the Pushgateway requires no password */
  credentials?: { name: pulumi.Input<string>; key: string };
}

/** Maximum bytes of a push. A run of k8sfv pushes 50 kB. The proxy needs ten times a push's size in memory. */
export const MAX_PUSH_BYTES = 4 * 2 ** 20;
/** Maximum bytes of the Pushgateway's file, some 90,000 series. The Pushgateway never deletes groups by itself. */
export const MAX_STORED_BYTES = 16 * 2 ** 20;
/** Seconds after which the proxy responds with 503 if a push is not stored; then the push queue sends it again. */
const PUSH_TIMEOUT_SECONDS = ATTEMPT_TIMEOUT_SECONDS / 2;
/**
 * Maximum time that a push takes, in seconds: the upload of the largest push at the lowest accepted rate, the wait in
 * the push queue, and a last attempt. A load balancer must not end the request earlier.
 */
export const MAX_RESPONSE_SECONDS =
  UPLOAD_GRACE_SECONDS +
  MAX_PUSH_BYTES / MIN_UPLOAD_BYTES_PER_SECOND +
  MAX_HOLD_SECONDS +
  ATTEMPT_TIMEOUT_SECONDS;

/**
 * The Pushgateway's `--persistence.interval`, the pause between writes of its file. The Pushgateway accepts no pushes
 * while it writes (3 ms with 64 groups), so a shorter pause leaves less time for pushes. A longer pause delays pushes,
 * which wait for the next write: with 20 ms instead of 10 ms, the throughput of 64 clients stayed the same, but that of
 * 8 clients was halved.
 */
export const PERSISTENCE_INTERVAL = "10ms";

const CANARY_PORT_OFFSET = 1;
const PROGRAM = { name: "push-proxy", mountPath: "/push-proxy", file: "push-proxy.mjs" };
const CANARY = { name: "canary", mountPath: "/canary" };

let program: string | undefined;

/** Returns the proxy's program in one file without comments, so that a changed comment doesn't restart the proxy. */
export function pushProxyProgram(): string {
  program ??= buildSync({
    absWorkingDir: fileURLToPath(new URL("..", import.meta.url)),
    entryPoints: ["components/push-proxy/main.ts"],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
    minifyWhitespace: true,
    lineLimit: 120,
    legalComments: "none",
  }).outputFiles[0]?.text;
  return program ?? "";
}

/** Returns the proxy's container, and the volumes and the init container that the proxy needs. */
export function pushProxy(name: string, args: PushProxyArgs, parent: pulumi.Resource) {
  const configMap = new ConfigMap(
    `${name}-program`,
    {
      // The ConfigMap is immutable, and the engine generates its name. So a change of the proxy's program creates a
      // ConfigMap with a new name, and the pods are recreated.
      metadata: { namespace: args.namespace, labels: args.labels },
      immutable: true,
      data: { [PROGRAM.file]: pushProxyProgram() },
    },
    { parent, aliases: [{ name: name.replace(/-proxy$/, "-guard-program") }] },
  );
  return {
    container: container(args),
    // The proxy tries each push in a canary, a second Pushgateway. No official image contains both Node and the
    // Pushgateway, so the program is copied from the Pushgateway's image.
    initContainer: {
      name: "copy-canary",
      image: args.gatewayImage,
      imagePullPolicy: "IfNotPresent",
      command: ["cp", "/bin/pushgateway", CANARY.mountPath],
      resources: { requests: { cpu: "5m", memory: "16Mi" }, limits: { memory: "64Mi" } },
      securityContext: RESTRICTED,
      volumeMounts: [CANARY],
    },
    volumes: [
      { name: PROGRAM.name, configMap: { name: configMap.metadata.name } },
      { name: CANARY.name, emptyDir: { sizeLimit: "64Mi" } },
    ],
  };
}

function container({ image, port, gatewayPort, file, data, credentials }: PushProxyArgs) {
  const probe = (path: string) => ({ httpGet: { path, port: port.name }, timeoutSeconds: 5 });
  const env = {
    PUSH_PROXY_PORT: port.number,
    PUSH_PROXY_GATEWAY_PORT: gatewayPort,
    PUSH_PROXY_CANARY_PORT: gatewayPort + CANARY_PORT_OFFSET,
    PUSH_PROXY_CANARY_PROGRAM: `${CANARY.mountPath}/pushgateway`,
    PUSH_PROXY_FILE: file,
    PUSH_PROXY_MAX_PUSH_BYTES: MAX_PUSH_BYTES,
    PUSH_PROXY_MAX_STORED_BYTES: MAX_STORED_BYTES,
    PUSH_PROXY_TIMEOUT_SECONDS: PUSH_TIMEOUT_SECONDS,
  };
  return {
    name: "push-proxy",
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["node"],
    args: ["--max-old-space-size=128", `${PROGRAM.mountPath}/${PROGRAM.file}`],
    env: [
      ...Object.entries(env).map(([key, value]) => ({ name: key, value: `${value}` })),
      ...(credentials === undefined
        ? []
        : [{ name: "PUSH_PROXY_CREDENTIALS", valueFrom: { secretKeyRef: credentials } }]),
    ],
    ports: [{ name: port.name, containerPort: port.number }],
    readinessProbe: { ...probe("/-/ready"), periodSeconds: 5 },
    livenessProbe: { ...probe("/-/push-proxy/healthy"), periodSeconds: 30 },
    // The proxy and its child process, the canary, share this memory. canary.ts sets a lower limit for the canary.
    resources: { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "512Mi" } },
    securityContext: RESTRICTED,
    volumeMounts: [
      { name: PROGRAM.name, mountPath: PROGRAM.mountPath, readOnly: true },
      { ...CANARY, readOnly: true },
      { ...data, readOnly: true },
    ],
  };
}
