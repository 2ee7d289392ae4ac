import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { expect, onTestFinished, test, vi } from "vitest";
import { waitUntilServed } from "../../components/served-crds.ts";

const CRDS = ["prometheuses", "probes"]
  .map((plural) => `---\nmetadata:\n  name: ${plural}.example.com\nspec:\n  names:\n    plural: ${plural}\n`)
  .join("---\n");

/** Serves the discovery API. Each request for the API groups advances to the next list of resources, if there is one. */
async function apiServer(lists: string[][]): Promise<{ kubeconfig: string; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    const path = request.url?.replace(/\/?(\?.*)?$/, "");
    if (path === "/apis") requests++;
    const names = lists[Math.min(requests, lists.length) - 1] ?? [];
    const versions = [{ groupVersion: "example.com/v1", version: "v1" }];
    const groups = [
      { name: "apps", versions: [{ groupVersion: "apps/v1", version: "v1" }] },
      ...(names.length === 0 ? [] : [{ name: "example.com", versions }]),
    ];
    response.setHeader("content-type", "application/json");
    if (path === "/apis") response.end(JSON.stringify({ groups }));
    else if (path === "/apis/example.com/v1")
      response.end(JSON.stringify({ resources: names.map((name) => ({ name })) }));
    else response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { kubeconfig: kubeconfigOf((server.address() as AddressInfo).port), requests: () => requests };
}

function kubeconfigOf(port: number): string {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "test", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
    { name: "test" },
  );
  return config.exportConfig();
}

test("waits until the discovery API lists the resource of each CRD", async () => {
  const { kubeconfig, requests } = await apiServer([[], ["probes"], ["probes", "prometheuses", "others"]]);
  await waitUntilServed(kubeconfig, CRDS);
  expect(requests()).toBe(3);
});

test("names the resources that are still missing after the timeout", async () => {
  const { kubeconfig } = await apiServer([["probes"]]);
  await expect(waitUntilServed(kubeconfig, CRDS, 100)).rejects.toThrow(
    /doesn't serve prometheuses\.example\.com 0\.1 s after/,
  );
});

test("only warns when the API server can't be reached", async () => {
  const { kubeconfig } = await apiServer([]);
  const closed = kubeconfig.replace(/127\.0\.0\.1:\d+/, "127.0.0.1:1");
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  onTestFinished(() => {
    warn.mockRestore();
  });
  await waitUntilServed(closed, CRDS, 100);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/ECONNREFUSED/));
});
