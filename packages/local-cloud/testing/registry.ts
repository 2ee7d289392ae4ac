import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { writeArchive } from "../images/archive.ts";
import type { Recipe } from "../images/index.ts";
import { freePort } from "../../../lib/free-port.ts";

/** Handles a request instead of the registry. Returns undefined if the registry should respond. */
export type Fault = (incoming: IncomingMessage, outgoing: ServerResponse) => true | undefined;

/** A real registry on 127.0.0.1 that stands for other registries. */
export interface Registry {
  /** Path of a configuration with which skopeo uses this registry instead of the `hosts` given to startRegistry. */
  registriesConf: string;
  /** Pushes images of the project. */
  push(recipes: Recipe[]): Promise<void>;
  /** Returns the digest of an image. */
  digest(name: string): Promise<string>;
  /** Handles all further requests with `fault`; undefined ends this. */
  fail(fault: Fault | undefined): void;
  close(): Promise<void>;
}

/**
 * Starts Debian's docker-registry behind a proxy that can inject faults.
 *
 * @param hosts - registries that skopeo replaces by this one, such as "quay.io"
 */
export async function startRegistry(hosts: string[]): Promise<Registry> {
  const dir = await mkdtemp(path.join(tmpdir(), "k8sfv-registry-"));
  const port = await freePort();
  const config = path.join(dir, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${JSON.stringify(dir)}}}\n` +
      `http: {addr: "127.0.0.1:${port}"}\n`,
  );
  // The kernel kills the registry when this process ends for any reason.
  const server = execa("setpriv", ["--pdeathsig=KILL", "docker-registry", "serve", config], {
    reject: false,
  });
  let fault: Fault | undefined;
  const front = createServer((incoming, outgoing) => {
    if (fault?.(incoming, outgoing) === true) return;
    const { method, url, headers } = incoming;
    const sent = request({ host: "127.0.0.1", port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    sent.on("error", () => outgoing.destroy());
    incoming.pipe(sent);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => front.once("listening", resolve));
  const address = `127.0.0.1:${(front.address() as AddressInfo).port}`;
  const registriesConf = path.join(dir, "registries.conf");
  const mirrors = hosts.map(
    (host) => `[[registry]]\nprefix = "${host}"\nlocation = "${address}/${host}"\ninsecure = true\n`,
  );
  await writeFile(registriesConf, mirrors.join("\n"));
  for (let tries = 0; ; tries++) {
    const answered = await fetch(`http://${address}/v2/`).catch(() => undefined);
    if (answered?.ok === true) break;
    if (tries > 100 || server.exitCode !== null) throw new Error("docker-registry does not start");
    await sleep(100);
  }
  return {
    registriesConf,
    async push(recipes) {
      for (const recipe of recipes) {
        const archive = path.join(dir, "image.tar");
        await writeArchive([recipe], archive);
        await skopeo(
          "copy",
          "--quiet",
          "--dest-tls-verify=false",
          `docker-archive:${archive}`,
          at(recipe.name),
        );
        await rm(archive);
      }
    },
    async digest(name) {
      return skopeo("inspect", "--tls-verify=false", "--format={{.Digest}}", at(name));
    },
    fail(next) {
      fault = next;
    },
    async close() {
      front.closeAllConnections();
      front.close();
      server.kill("SIGTERM");
      await server;
      await rm(dir, { recursive: true, force: true });
    },
  };

  function at(name: string): string {
    return `docker://${address}/${name}`;
  }
}

async function skopeo(...args: string[]): Promise<string> {
  return (await execa("skopeo", args)).stdout;
}
