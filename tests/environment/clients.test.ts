import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ensureToolchain } from "k8sfv-local-cloud/toolchain";
import { buildClient, CLIENTS, type Client } from "./clients/build.ts";
import { startGateway, type GatewayProcess } from "./gateway-process.ts";

const USER = "ci";
const PASSWORD = "a-password";

interface Login {
  user: string;
  password: string;
}

/** Result of a push by a client program. */
interface Outcome {
  /**
   * Exit code of the program; 0 means that the push succeeded. It is undefined if the program didn't start or a signal
   * ended it.
   */
  status: number | undefined;
  output: string;
}

/**
 * Tests the oldest and newest client libraries with the push proxy and the real Pushgateway, as processes on
 * this computer. Does not prove pushes with TLS, which Google's load balancer terminates: exposure.test.ts
 * tests them.
 */
describe.each(CLIENTS)("the client $name", (client: Client) => {
  let binary: string;
  let folder: string;
  let dir: string;
  let gateway: GatewayProcess | undefined;

  beforeAll(async () => {
    binary = (await ensureToolchain({ only: ["pushgateway"] })).path("pushgateway");
    folder = await buildClient(client);
  });
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), "k8sfv-clients-"));
  });
  afterEach(async () => {
    await gateway?.close();
    await rm(dir, { recursive: true });
  });

  async function push(
    method: "add" | "replace",
    url: string,
    values: Record<string, number>,
    login?: Login,
  ): Promise<Outcome> {
    const [file = "", ...args] = client.command;
    const pairs = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    const env = login === undefined ? {} : { PUSH_USER: login.user, PUSH_PASSWORD: login.password };
    const options = { cwd: folder, env, all: true, reject: false } as const;
    const { exitCode, all } = await execa(file, [...args, method, url, "clients", ...pairs], options);
    return { status: exitCode, output: all };
  }

  /** Returns the pushed gauges that the Pushgateway exposes, by name. */
  async function exposed({ directUrl }: GatewayProcess, login?: Login): Promise<Record<string, number>> {
    const basic = Buffer.from(`${login?.user}:${login?.password}`).toString("base64");
    const headers: Record<string, string> = login === undefined ? {} : { authorization: `Basic ${basic}` };
    const page = await (await fetch(`${directUrl}/metrics`, { headers })).text();
    const found = page.matchAll(/^(client_\w+)\{instance="",job="clients"\} (\S+)$/gm);
    return Object.fromEntries([...found].map(([, name = "", value]) => [name, Number(value)]));
  }

  /** Checks pushes that replace the group, and one that adds to it. */
  async function expectPushes(of: GatewayProcess, login?: Login): Promise<void> {
    const stored = { status: 0, output: "" };
    expect(await push("replace", of.url, { client_a: 1, client_b: 2 }, login)).toEqual(stored);
    expect(await exposed(of, login)).toEqual({ client_a: 1, client_b: 2 });
    expect(await push("add", of.url, { client_a: 3 }, login)).toEqual(stored);
    expect(await exposed(of, login)).toEqual({ client_a: 3, client_b: 2 });
    expect(await push("replace", of.url, { client_b: 4 }, login)).toEqual(stored);
    expect(await exposed(of, login)).toEqual({ client_b: 4 });
  }

  it("pushes without a password", async () => {
    gateway = await startGateway(binary, dir);
    await expectPushes(gateway);
  });

  if (client.takesPassword)
    it("pushes with a password, and reports a wrong one", async () => {
      gateway = await startGateway(binary, dir, { credentials: `${USER}:${PASSWORD}` });
      const login = { user: USER, password: PASSWORD };
      await expectPushes(gateway, login);
      const refused = await push(
        "replace",
        gateway.url,
        { client_c: 5 },
        { user: USER, password: "wrong-one" },
      );
      expect(refused.status).not.toBe(0);
      expect(refused.output).toMatch(/401|Unauthorized/);
      expect(await exposed(gateway, login)).toEqual({ client_b: 4 });
    });
  else
    it("can't send a password, and reports that the push is rejected", async () => {
      gateway = await startGateway(binary, dir, { credentials: `${USER}:${PASSWORD}` });
      const withPassword = gateway.url.replace("//", `//${USER}:${PASSWORD}@`);
      const refused = await push("replace", withPassword, { client_c: 5 });
      expect(refused.status).not.toBe(0);
      expect(await exposed(gateway, { user: USER, password: PASSWORD })).toEqual({});
    });

  if (client.name.startsWith("go-"))
    it("prints the password of a rejected push if it is in the URL, but not if it is set by BasicAuth", async () => {
      gateway = await startGateway(binary, dir, { credentials: `${USER}:${PASSWORD}` });
      const withPassword = gateway.url.replace("//", `//${USER}:${PASSWORD}@`);
      expect((await push("replace", withPassword, { client_a: 1 })).status).toBe(0);
      // The proxy rejects names with the prefix `pushgateway_`.
      const bad = { pushgateway_a: 1 };
      const inUrl = await push("replace", withPassword, bad);
      const byOption = await push("replace", gateway.url, bad, { user: USER, password: PASSWORD });
      for (const { status, output } of [inUrl, byOption]) {
        expect(status).toBe(1);
        expect(output).toContain("unexpected status code 400");
      }
      expect(inUrl.output).toContain(PASSWORD);
      expect(byOption.output).not.toContain(PASSWORD);
    });
});
