import { readFileSync } from "node:fs";
import { ConfigMap } from "@pulumi/kubernetes/core/v1/configMap.js";
import type * as pulumi from "@pulumi/pulumi";
import { RESTRICTED } from "./conventions.ts";

/** What the guard needs to know. */
export interface PushGuardArgs {
  /** The namespace of the pod. */
  namespace: pulumi.Input<string>;
  /** Labels of its ConfigMap. */
  labels: Record<string, string>;
  /** An image with Node 20 or newer as `node`. */
  image: string;
  /** Its port, by name and number. */
  port: { name: string; number: number };
  /** Where the gateway listens, on 127.0.0.1. */
  gatewayPort: number;
  /** The gateway's persistence file. */
  file: string;
  /** The pod's volume that the file is on, and where. */
  data: { name: string; mountPath: string };
  /** A Secret's key with USER:PASSWORD of the gateway. @default the gateway asks for none */
  credentials?: { name: pulumi.Input<string>; key: string };
}

/**
 * A push may have so many bytes: a run of k8sfv pushes 50 kB. A larger one would cost the gateway ten times
 * its size in memory (measured), and it has no limit of its own.
 */
export const MAX_PUSH_BYTES = 4 * 2 ** 20;
/** With so many bytes in its file, some 90,000 series, the gateway takes no more: it never forgets by itself. */
const MAX_STORE_BYTES = 16 * 2 ** 20;

/**
 * The gateway's `--persistence.interval`, which is about what a push takes. It takes nothing in while it writes its file
 * (3 ms with 64 groups): at 1 ms a fifth of its time went there. At 20 ms 64 clients pushed no more than at 10, and 8
 * half as much, since pushes waited for nothing else.
 */
export const PERSISTENCE_INTERVAL = "10ms";

const FILES = ["main.mjs", "disk.mjs", "gateway.mjs", "group.mjs", "intake.mjs", "room.mjs", "store.mjs"];
const FOLDER = "/guard";
const VOLUME = "guard";

/** A container that stands before the push gateway and answers a push when it is on the disk; and its volume. */
export function pushGuard(name: string, args: PushGuardArgs, parent: pulumi.Resource) {
  const { port } = args;
  const program = new ConfigMap(
    `${name}-program`,
    {
      // Named by the engine and never changed: another program is another name, and so new pods.
      metadata: { namespace: args.namespace, labels: args.labels },
      immutable: true,
      data: Object.fromEntries(FILES.map((file) => [file, programText(file)])),
    },
    { parent },
  );
  const probe = (path: string) => ({ httpGet: { path, port: port.name }, timeoutSeconds: 5 });
  const container = {
    name: "guard",
    image: args.image,
    imagePullPolicy: "IfNotPresent",
    command: ["node"],
    args: ["--max-old-space-size=96", `${FOLDER}/main.mjs`],
    env: [
      { name: "GUARD_PORT", value: `${port.number}` },
      { name: "GUARD_GATEWAY_PORT", value: `${args.gatewayPort}` },
      { name: "GUARD_FILE", value: args.file },
      { name: "GUARD_MAX_PUSH_BYTES", value: `${MAX_PUSH_BYTES}` },
      { name: "GUARD_MAX_STORE_BYTES", value: `${MAX_STORE_BYTES}` },
      ...(args.credentials === undefined
        ? []
        : [{ name: "GUARD_CREDENTIALS", valueFrom: { secretKeyRef: args.credentials } }]),
    ],
    ports: [{ name: port.name, containerPort: port.number }],
    readinessProbe: { ...probe("/-/ready"), periodSeconds: 5 },
    livenessProbe: { ...probe("/-/guard"), periodSeconds: 30 },
    resources: { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "256Mi" } },
    securityContext: RESTRICTED,
    volumeMounts: [
      { name: VOLUME, mountPath: FOLDER, readOnly: true },
      { ...args.data, readOnly: true },
    ],
  };
  return { container, volume: { name: VOLUME, configMap: { name: program.metadata.name } } };
}

function programText(file: string): string {
  return readFileSync(new URL(`push-guard/${file}`, import.meta.url), "utf8");
}
