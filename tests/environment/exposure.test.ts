import path from "node:path";
import { CoreV1Api } from "@kubernetes/client-node";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type SampleResult,
  ciHost,
  frontEndHost,
  internetAuthorityDir,
  internetHost,
  killHost,
  openCloud,
  removeCloud,
  runIn,
  startForwarder,
} from "k8sfv-local-cloud";
import { nodeImage } from "k8sfv-local-cloud/images";
import { findProcesses, killProcesses } from "k8sfv-local-cloud/testing";
import { kubeConfig, hostConnects } from "./pods.ts";
import { eventually, query } from "./prometheus.ts";
import { openTestStack, type TestStack } from "./stack.ts";

const DOMAIN = "push.k8sfv.example";
/** A source range that contains the address of the CI host on the internet, and one that doesn't. */
const [ITS_RANGE, ANOTHER] = ["198.51.100.0/28", "192.0.2.0/24"];

/**
 * Tests the values "external" and "in-cluster" of `pushGateway.exposure`: pushes from the internet through
 * Google's load balancer, and pushes only from pods. workloads.test.ts tests the default. The local cloud
 * emulates the load balancer according to Google's documentation. Does not prove that Google's load balancer
 * behaves the same, nor how long Google takes to issue its certificate.
 */
describe("pushes", () => {
  let stack: TestStack;
  let outputs: Record<string, unknown>;
  let prometheus: string;

  beforeAll(async () => {
    stack = await openTestStack("exposure");
    await stack.set({
      "pushGateway.exposure": "external",
      "pushGateway.auth": true,
      "pushGateway.domain": DOMAIN,
      "pushGateway.sourceRanges[0]": ITS_RANGE,
    });
    outputs = await stack.up();
    const target = { host: new URL(String(outputs.PROMETHEUS_URL)).hostname, targetPort: 9090 };
    const [port] = await startForwarder(stack.cloud, "people", ciHost, [target]);
    prometheus = `http://127.0.0.1:${port}`;
  });
  afterAll(() => removeCloud(openCloud("exposure")));

  /** Returns the environment of a CI job on the internet, which trusts the emulated public CA. */
  const environment = () => {
    const authority = path.join(internetAuthorityDir(stack.cloud), "ca.crt");
    return {
      PROMPG_URL: String(outputs.PROMPG_URL),
      SSL_CERT_FILE: authority,
      NODE_EXTRA_CA_CERTS: authority,
    };
  };

  /** Returns the statuses of `count` sequential requests from the internet; "none" if there is no response. */
  async function statuses(url: string, count = 1): Promise<string[]> {
    const script = `
      for (let n = 0; n < ${count}; n++) {
        const found = await fetch(process.argv[1], { redirect: "manual" }).catch(() => undefined);
        console.log(found === undefined ? "none" : found.status + " " + (found.headers.get("location") ?? ""));
      }`;
    const command = [process.execPath, "--input-type=module", "--eval", script, url];
    const text = await runIn(stack.cloud, internetHost, command, { env: environment() });
    return text
      .trim()
      .split("\n")
      .map((line) => line.trim());
  }

  /**
   * Returns the status of a request from the internet; "none" if there is no response. The request target is
   * sent unchanged.
   */
  async function statusOf(target: string): Promise<string> {
    const script = `
      const [host, path] = process.argv.slice(1);
      const request = require("node:https").get({ host, path }, ({ statusCode }) => {
        console.log(statusCode);
        process.exit();
      });
      request.on("error", () => console.log("none"));`;
    const command = [process.execPath, "--eval", script, DOMAIN, target];
    return (await runIn(stack.cloud, internetHost, command, { env: environment() })).trim();
  }

  it("are accepted from the internet with the password, by k8sfv's client", async () => {
    const { username, hostname, protocol } = new URL(String(outputs.PROMPG_URL));
    expect([username, hostname, protocol]).toEqual(["ci", DOMAIN, "https:"]);
    // The load balancer uses a backend after a successful health check.
    await eventually(
      () => statuses(`https://${DOMAIN}/-/ready`),
      ([status]) => status === "200",
    );
    const command = ["sample-run", "-value", "41000000"];
    const text = await runIn(stack.cloud, internetHost, command, {
      env: { ...environment(), PATH: `${stack.cloud.binDir}:${process.env.PATH ?? ""}` },
    });
    const { occupancyMeanBytes } = JSON.parse(text) as SampleResult;
    const found = await eventually(
      () => query(prometheus, `k8sfv_occupancy_mean_bytes == ${occupancyMeanBytes}`),
      (series) => series.length > 0,
    );
    expect(found[0]?.metric).toMatchObject({ job: "k8sfv" });
    expect(found[0]?.metric).not.toHaveProperty("pod");
  });

  it("are accepted only by TLS, with the password and to the domain", async () => {
    expect(await statuses(`https://${DOMAIN}/metrics`)).toEqual(["401"]);
    expect(await statuses(`http://${DOMAIN}/metrics`)).toEqual([`301 https://${DOMAIN}/metrics`]);
    // The certificate is not valid for the IP address.
    expect(await statuses(`https://${String(outputs.PROMPG_ADDRESS)}/metrics`)).toEqual(["none"]);
    const inside = new URL(String(outputs.PROMETHEUS_URL)).hostname;
    expect(await hostConnects(stack.cloud, internetHost, inside, 9090)).toBe(false);
    expect(await hostConnects(stack.cloud, internetHost, "10.248.1.4", 9091)).toBe(false);
    // The address in the VPC still works.
    expect(await hostConnects(stack.cloud, ciHost, "10.248.1.4", 9091)).toBe(true);
  });

  it("with a malformed request target reach no other host and crash no process", async () => {
    expect(await statusOf("//")).toBe("401");
    expect(await statusOf("//192.0.2.1/metrics")).toBe("401");
    expect(await statusOf(`${String(outputs.PROMETHEUS_URL)}/-/ready`)).toBe("404");
    expect(await statuses(`https://${DOMAIN}/metrics`)).toEqual(["401"]);
  });

  it.each([
    ["program", () => findProcesses(stack.cloud, "front-end").then(killProcesses)],
    ["host", () => killHost(stack.cloud, frontEndHost)],
  ])("are accepted again after the load balancer's %s was killed", async (_, end) => {
    const program = async () => (await findProcesses(stack.cloud, "front-end")).map(({ pid }) => pid);
    const before = await program();
    expect(before).toHaveLength(1);
    await end();
    await eventually(program, (now) => now.length === 1 && now[0] !== before[0]);
    await eventually(
      () => statuses(`https://${DOMAIN}/-/ready`),
      ([status]) => status === "200",
    );
  });

  it("leave a stack without changes in a preview, and the smoke test succeeds", async () => {
    await stack.engine.pulumi(["preview", "--diff", "--expect-no-changes"]);
    expect(await smoke()).toContain("smoke: all is well");
  });

  it("are rejected from other ranges", async () => {
    await stack.set({ "pushGateway.sourceRanges[0]": ANOTHER });
    outputs = await stack.up();
    await eventually(
      () => statuses(`https://${DOMAIN}/-/ready`),
      ([status]) => status === "403",
    );
  });

  it("are limited to 120 requests per minute if all addresses may push", async () => {
    await stack.engine.pulumi(["config", "rm", "--path", "k8sfv-metrics:pushGateway.sourceRanges"]);
    await stack.set({ "pushGateway.sourceRanges": "anywhere" });
    outputs = await stack.up();
    await eventually(
      () => statuses(`https://${DOMAIN}/-/ready`),
      ([status]) => status === "200",
    );
    const found = await statuses(`https://${DOMAIN}/-/ready`, 130);
    expect(found.slice(0, 100)).toEqual(Array.from({ length: 100 }, () => "200"));
    expect(found.slice(120)).toEqual(Array.from({ length: 10 }, () => "429"));
  });

  it("are accepted only from the cluster after the exposure changes, and the load balancer is removed", async () => {
    for (const key of ["domain", "sourceRanges"]) {
      await stack.engine.pulumi(["config", "rm", "--path", `k8sfv-metrics:pushGateway.${key}`]);
    }
    await stack.set({ "pushGateway.exposure": "in-cluster" });
    outputs = await stack.up();
    expect(outputs).not.toHaveProperty("PROMPG_URL");
    const { paths } = await stack.atGoogle();
    expect(paths.filter((one) => /securityPolicies|global\/addresses/.test(one))).toEqual([]);
    expect(await hostConnects(stack.cloud, ciHost, "10.248.1.4", 9091)).toBe(false);
    await eventually(
      () => statuses(`https://${DOMAIN}/-/ready`).catch(String),
      (answer) => answer.includes("is not running"),
    );
    expect(await pushFromJob(String(outputs.PROMPG_URL_IN_CLUSTER))).toBe("Succeeded");
    await eventually(
      () => query(prometheus, 'from_a_job{job="inside"} == 5'),
      (series) => series.length === 1,
    );
    await stack.engine.pulumi(["preview", "--diff", "--expect-no-changes"]);
    expect(await smoke()).toContain("smoke: all is well");
  });

  /** Runs the smoke test, which connects through the Kubernetes API, and returns its output. */
  async function smoke(): Promise<string> {
    const { cloud, engine } = stack;
    const program = ["node_modules/tsx/dist/cli.mjs", "tools/smoke.ts", "local"];
    const env = { ...engine.env, K8SFV_CLOUD: cloud.name };
    const { all } = await execa(process.execPath, program, { env, all: true, reject: false });
    return all;
  }

  /** Pushes once from a pod of another namespace. @returns the pod's final phase */
  async function pushFromJob(url: string): Promise<string | undefined> {
    const core = kubeConfig(stack.cloud).makeApiClient(CoreV1Api);
    const script = `
      const { username, password, origin } = new URL(process.env.URL_TO_PUSH_TO);
      const authorization = "Basic " + Buffer.from(username + ":" + password).toString("base64");
      const push = { method: "PUT", headers: { authorization }, body: "from_a_job 5\\n" };
      // kube-proxy knows a new Service's endpoint a second or two after its pod is ready.
      for (let tries = 0; tries < 30; tries++) {
        const answer = await fetch(origin + "/metrics/job/inside", push).catch(() => undefined);
        if (answer !== undefined) process.exit(answer.ok ? 0 : 1);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      process.exit(1);`;
    await core.createNamespacedPod({
      namespace: "default",
      body: {
        metadata: { name: "job" },
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "job",
              image: nodeImage,
              imagePullPolicy: "IfNotPresent",
              command: ["node", "--input-type=module", "--eval", script],
              env: [{ name: "URL_TO_PUSH_TO", value: url }],
            },
          ],
        },
      },
    });
    const { status } = await eventually(
      () => core.readNamespacedPod({ namespace: "default", name: "job" }),
      (pod) => ["Succeeded", "Failed"].includes(pod.status?.phase ?? ""),
    );
    return status?.phase;
  }
});
