import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import tls from "node:tls";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { removeCloud } from "k8sfv-local-cloud";
import { Authority } from "k8sfv-local-cloud/testing";
import { root } from "../pages.ts";
import { podIds } from "./pods.ts";
import { openTestStack, type TestStack } from "./stack.ts";

/**
 * Address on which the front end of the DNS endpoint listens. It is not 127.0.0.1, because the front end needs port
 * 443, which kubeconfigs with a DNS name use, and another program may listen there.
 */
const FRONT_END = "127.44.20.1";

interface Kubeconfig {
  clusters: { cluster: { server: string; "certificate-authority-data"?: string } }[];
}

/**
 * Tests that a changed kubeconfig of the same cluster replaces nothing in the cluster. Does not prove how GKE changes
 * its endpoints and rotates its certificate authority. The test emulates both: it runs the front end of the DNS
 * endpoint, and adds a second CA to the responses of the emulated Google Cloud.
 */
describe("a changed kubeconfig of the same cluster", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let pods: string[];
  let stopFrontEnd = (): void => undefined;

  beforeAll(async () => {
    stack = await openTestStack("kubeconfig");
    outputs = await stack.up();
    pods = await podIds(stack.cloud);
  });

  afterAll(async () => {
    stopFrontEnd();
    await removeCloud(stack.cloud);
  });

  it("replaces nothing in the cluster after an upgrade from a program that wrote another install hint into the kubeconfig", async () => {
    const state = await stack.engine.pulumi(["stack", "export", "--show-secrets"]);
    expect(state).toContain("Install it with");
    const file = path.join(stack.cloud.pulumiDir, "older.json");
    await writeFile(file, state.replaceAll("Install it with", "Get it by"), { mode: 0o600 });
    await stack.engine.pulumi(["stack", "import", "--file", file]);
    await expectOnlyProviderChanges(stack.engine.pulumi);
  });

  it("replaces nothing in the cluster after a rotation of the certificate authority and a refresh", async () => {
    const authority = await Authority.open(path.join(stack.cloud.pulumiDir, "rotated"));
    const { "certificate-authority-data": before = "" } = cluster(await kubeconfig());
    const bundle = `${authority.certificatePem}\n${Buffer.from(before, "base64").toString()}`;
    const rotated = Buffer.from(bundle).toString("base64");
    const google = await readFile(stack.cloud.googleFile, "utf8");
    expect(google).toContain(before);
    await writeFile(stack.cloud.googleFile, google.replaceAll(before, rotated));
    // Without a refresh the state still has the old CA (docs/maintenance.md).
    await stack.engine.pulumi(["preview", "--expect-no-changes"]);
    await stack.engine.pulumi(["refresh", "--yes", "--skip-preview", "--target", "**::cluster-gke"]);
    await expectOnlyProviderChanges(stack.engine.pulumi);
    expect(cluster(await kubeconfig())["certificate-authority-data"]).toBe(rotated);
  });

  it("replaces nothing in the cluster when the endpoint changes to DNS and back to IP", async () => {
    const pulumi = await behindDns();
    const remove = (key: string) => stack.engine.pulumi(["config", "rm", "--path", `k8sfv-metrics:${key}`]);
    await stack.set({ "cluster.endpoint": "dns" });
    await remove("cluster.authorizedNetworks");
    await remove("network.controlPlaneCidr");
    await expectNothingReplaced(pulumi);
    expect(cluster(await kubeconfig())).toEqual({ server: expect.stringContaining(".gke.goog") as string });
    await stack.set({ "cluster.endpoint": "ip", "cluster.authorizedNetworks[0]": "127.0.0.1/32" });
    await expectNothingReplaced(pulumi);
    expect(cluster(await kubeconfig()).server).toBe(cluster(String(outputs.KUBECONFIG_YAML)).server);
    await stack.engine.pulumi(["preview", "--expect-no-changes"]);
  });

  /** Applies a change, and checks that it affects only the Kubernetes provider and thus no object in the cluster. */
  async function expectOnlyProviderChanges(pulumi: Run): Promise<void> {
    expect(new Set((await changes(pulumi)).map(({ type }) => type))).toEqual(
      new Set(["pulumi:providers:kubernetes"]),
    );
    await expectNothingReplaced(pulumi);
  }

  /** Applies a change, and checks that only the Kubernetes provider is replaced and that no pod is. */
  async function expectNothingReplaced(pulumi: Run): Promise<void> {
    const planned = await changes(pulumi);
    expect(planned).not.toEqual([]);
    const others = planned.filter(({ type }) => type !== "pulumi:providers:kubernetes");
    expect(others.filter(({ op }) => op !== "update")).toEqual([]);
    await pulumi(["up", "--yes", "--skip-preview"]);
    expect(await podIds(stack.cloud)).toEqual(pods);
    await pulumi(["preview", "--expect-no-changes"]);
  }

  async function changes(pulumi: Run): Promise<{ op: string; type: string; urn: string }[]> {
    const { steps } = JSON.parse(await pulumi(["preview", "--json"])) as {
      steps: { op: string; urn: string }[];
    };
    return steps
      .filter(({ op }) => op !== "same")
      .map(({ op, urn }) => ({ op, urn, type: urn.split("::")[2]?.split("$").at(-1) ?? "" }));
  }

  async function kubeconfig(): Promise<string> {
    return stack.engine.pulumi(["stack", "output", "--show-secrets", "KUBECONFIG_YAML"]);
  }

  /**
   * Starts a front end for the DNS endpoint, with a certificate of its own CA. Returns a function that runs the engine
   * with an /etc/hosts in which the endpoint's name leads to the front end.
   */
  async function behindDns(): Promise<Run> {
    const { pulumiDir, binDir } = stack.cloud;
    const state = JSON.parse(await stack.engine.pulumi(["stack", "export"])) as {
      deployment: { resources: { urn: string; outputs?: ClusterOutputs }[] };
    };
    const gke = state.deployment.resources.find(({ urn }) => urn.endsWith("::cluster-gke"))?.outputs;
    const name = gke?.controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint ?? "";
    expect(name).toMatch(/\.gke\.goog$/);
    const authority = await Authority.open(path.join(pulumiDir, "front-end"));
    const files = await authority.issue("server", { commonName: name, dnsNames: [name] });
    stopFrontEnd = await startFrontEnd(await readFile(files.cert), await readFile(files.key));
    const hosts = path.join(pulumiDir, "hosts");
    await writeFile(hosts, `127.0.0.1 localhost\n${FRONT_END} ${name}\n`);
    const trusted = authority.certificateFile;
    const env = { ...stack.engine.env, SSL_CERT_FILE: trusted, NODE_EXTRA_CA_CERTS: trusted };
    const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
    const command = ["--mount", "sh", "-c", script, hosts, path.join(binDir, "pulumi")];
    return async (args) =>
      (await execa("unshare", [...command, ...args], { cwd: root, env, stdin: "ignore" })).stdout;
  }

  /** Starts a front end that terminates TLS and forwards to the API server. @returns a function that stops it */
  async function startFrontEnd(cert: Buffer, key: Buffer): Promise<() => void> {
    const { server, "certificate-authority-data": ca = "" } = cluster(String(outputs.KUBECONFIG_YAML));
    const { hostname, port } = new URL(server);
    const ALPNProtocols = ["http/1.1"];
    const frontEnd = tls.createServer({ cert, key, ALPNProtocols }, (client) => {
      const upstream = { host: hostname, port: Number(port), ca: Buffer.from(ca, "base64"), ALPNProtocols };
      const api = tls.connect(upstream);
      api.pipe(client).pipe(api);
      for (const end of [client, api]) {
        end.on("error", () => end.destroy());
        end.on("close", () => {
          client.destroy();
          api.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => frontEnd.listen(443, FRONT_END, resolve));
    return () => frontEnd.close();
  }
});

type Run = (args: string[]) => Promise<string>;

interface ClusterOutputs {
  controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: string } };
}

/** Returns the cluster of a kubeconfig. */
function cluster(yaml: string): Kubeconfig["clusters"][number]["cluster"] {
  const [first] = (parse(yaml) as Kubeconfig).clusters;
  if (first === undefined) throw new Error("the kubeconfig has no cluster");
  return first.cluster;
}
