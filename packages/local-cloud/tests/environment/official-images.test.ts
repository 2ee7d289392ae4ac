import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pullImages, type Recipe } from "../../images/index.ts";
import { startRegistry, type Registry } from "../../testing/registry.ts";

const NAME = "registry.invalid/project/program:v1.2.3";
const LAYER = "the program of the image";

/**
 * Tests pulling of images with a real registry on 127.0.0.1, which contains the project's own images. `npm start --
 * --official-images` pulls the images in versions.ts in the same way. Does not test public registries, TLS or
 * authentication.
 */
describe("pullImages", () => {
  let registry: Registry;
  let cacheDir: string;

  beforeAll(async () => {
    registry = await startRegistry(["registry.invalid"]);
    await registry.push([image(NAME, LAYER)]);
  });
  afterAll(async () => {
    await registry.close();
  });
  beforeEach(async () => {
    cacheDir = await mkdtemp(path.join(tmpdir(), "k8sfv-official-"));
  });
  afterEach(async () => {
    registry.fail(undefined);
    await rm(cacheDir, { recursive: true, force: true });
  });

  const pull = async (name: string) =>
    pullImages([name], { cacheDir, registriesConf: registry.registriesConf });

  it("pulls by tag, and sends no request the second time", async () => {
    const [archive = ""] = await pull(NAME);
    expect(await tagsIn(archive)).toEqual([NAME]);
    registry.fail((_, outgoing) => {
      outgoing.writeHead(500).end();
      return true;
    });
    expect(await pull(NAME)).toEqual([archive]);
  });

  it("pulls by digest, and names the image only by its tag", async () => {
    const digest = await registry.digest(NAME);
    const [archive = ""] = await pull(`${NAME}@${digest}`);
    expect(await tagsIn(archive)).toEqual([NAME]);
  });

  it("rejects an image with another digest", async () => {
    const wanted = `sha256:${"a".repeat(64)}`;
    await expect(pull(`${NAME}@${wanted}`)).rejects.toThrow(
      `Cannot pull ${NAME}@${wanted}: the registry has no such image. Cure: check the image in versions.ts.`,
    );
    // Emulates a registry that returns another image for that digest.
    registry.fail((incoming, outgoing) => {
      if (incoming.url?.endsWith(wanted) !== true) return undefined;
      outgoing.writeHead(307, { location: incoming.url.replace(wanted, "v1.2.3") }).end();
      return true;
    });
    await expect(pull(`${NAME}@${wanted}`)).rejects.toThrow("does not have this digest");
  });

  it("reports a missing tag", async () => {
    const missing = NAME.replace("v1.2.3", "v9");
    await expect(pull(missing)).rejects.toThrow(
      `Cannot pull ${missing}: the registry has no such image. Cure: check the image in versions.ts.`,
    );
  });

  it("retries after the registry closed the connection", async () => {
    let cut = 0;
    registry.fail((incoming, outgoing) => {
      if (incoming.url?.includes("/blobs/") !== true || cut >= 1) return undefined;
      cut += 1;
      outgoing.writeHead(200, { "content-length": "1000000" });
      outgoing.write("half");
      setTimeout(() => outgoing.destroy(), 50);
      return true;
    });
    const [archive = ""] = await pull(NAME);
    expect(cut).toBe(1);
    expect(await tagsIn(archive)).toEqual([NAME]);
  });

  it("reports an unreachable registry and leaves nothing in the cache", async () => {
    registry.fail((incoming, outgoing) => {
      if (incoming.url?.includes("/blobs/") !== true) return undefined;
      outgoing.destroy();
      return true;
    });
    await expect(pull(NAME)).rejects.toThrow("can't be reached, or the connection broke");
    registry.fail(undefined);
    const [archive = ""] = await pull(NAME);
    expect(await tagsIn(archive)).toEqual([NAME]);
  });

  it("waits for the time in Retry-After when the registry limits the rate", async () => {
    const times: number[] = [];
    registry.fail((incoming, outgoing) => {
      if (incoming.url?.includes("/manifests/") !== true) return undefined;
      times.push(Date.now());
      if (times.length > 2) return undefined;
      outgoing.writeHead(429, { "retry-after": "2" }).end();
      return true;
    });
    const [archive = ""] = await pull(NAME);
    expect(await tagsIn(archive)).toEqual([NAME]);
    const [first = 0, second = 0] = times;
    expect(second - first).toBeGreaterThanOrEqual(1900);
  });
});

function image(name: string, text: string): Recipe {
  return { name, entries: [{ path: "/program", content: { text }, mode: 0o755 }], entrypoint: ["/program"] };
}

/** Returns the names of the images in an archive. */
async function tagsIn(archive: string): Promise<string[]> {
  const { stdout } = await execa("tar", ["--extract", "--to-stdout", "--file", archive, "manifest.json"]);
  return (JSON.parse(stdout) as { RepoTags: string[] }[]).flatMap(({ RepoTags }) => RepoTags);
}
