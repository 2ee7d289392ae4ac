import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { openTunnel } from "../../lib/tunnel.ts";
import { openGrafanaAccess } from "../../components/grafana-access.ts";
import { mockEngine, valueOf } from "./mocks.ts";

vi.mock(import("../../lib/tunnel.ts"), () => ({ openTunnel: vi.fn() }));

const TUNNEL_URL = "http://127.0.0.1:33000";

beforeEach(async () => {
  await mockEngine();
  vi.mocked(openTunnel)
    .mockReset()
    .mockResolvedValue({ url: TUNNEL_URL, settle: () => undefined });
});

/** Opens access to a Grafana whose Deployment becomes available when `available` resolves. */
function open(access: "tunnel" | "direct", available: Promise<unknown> = Promise.resolve()) {
  return openGrafanaAccess({
    access,
    tunnelPort: 33000,
    url: pulumi.output("http://10.248.1.7:3000"),
    kubeconfig: pulumi.secret("kubeconfig"),
    namespace: pulumi.output("monitoring"),
    podLabels: {},
    podPort: 3000,
    deployment: { id: pulumi.output(available.then(() => "id")) } as unknown as pulumi.CustomResource,
  });
}

test.each([
  ["tunnel", TUNNEL_URL],
  ["direct", "http://10.248.1.7:3000"],
] as const)(
  "the URL of the access %s is known when Grafana is available, and is no secret",
  async (access, url) => {
    let makeAvailable = (): void => undefined;
    const found: string[] = [];
    const grafana = open(access, new Promise<void>((resolve) => (makeAvailable = resolve)));
    const known = valueOf(grafana.url).then((value) => found.push(value));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(found).toEqual([]);
    expect(openTunnel).not.toHaveBeenCalled();
    makeAvailable();
    await known;
    expect(found).toEqual([url]);
    expect(await pulumi.isSecret(grafana.url)).toBe(false);
  },
);

/**
 * Ignores unhandled rejections until the end of a test. An output that fails has several promises, and a test awaits
 * only one of them.
 */
function ignoreRejections(): void {
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", () => undefined);
  onTestFinished(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
  });
}

/** Returns the value of an output. @throws the output's error */
function promiseOf<T>(output: pulumi.Output<T>): Promise<T> {
  return (output as unknown as { promise: () => Promise<T> }).promise();
}

test("an update fails if the tunnel can't be opened, but a preview doesn't", async () => {
  vi.mocked(openTunnel).mockRejectedValue(new Error("127.0.0.1:33000 is in use"));
  await mockEngine("test", true);
  expect(await valueOf(open("tunnel").url)).toBe(TUNNEL_URL);
  await mockEngine("test", false);
  ignoreRejections();
  await expect(promiseOf(open("tunnel").url)).rejects.toThrow("127.0.0.1:33000 is in use");
});
