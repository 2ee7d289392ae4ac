import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeOutdated } from "./build.ts";
import { cacheKey, fill, sweep } from "./cache.ts";
import { isNewEnough } from "./go.ts";
import type { Tool } from "./tools.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "toolchain-test-"));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const tool: Tool = { name: "pause", module: "pause", binaries: { pause: "." }, memory: 1, seconds: 1 };
const go = { GOVERSION: "go1.26.8", GOOS: "linux", GOARCH: "amd64" };
// Owner of a lock, as PID-START_TIME. No such process exists, because process 1 has another start time.
const DEAD = "1-99999999999999";

describe("fill", () => {
  it("leaves only the complete directory", async () => {
    await fill(join(dir, "a"), ({ out }) => writeFile(join(out, "tool"), "whole"));
    expect(await readFile(join(dir, "a", "tool"), "utf8")).toBe("whole");
    expect(await readdir(dir)).toEqual(["a"]);
  });

  it("removes the files of a failed build, and the next build succeeds", async () => {
    await expect(fill(join(dir, "a"), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await readdir(dir)).toEqual([]);
    await fill(join(dir, "a"), ({ out }) => writeFile(join(out, "tool"), "whole"));
    expect(existsSync(join(dir, "a", "tool"))).toBe(true);
  });

  it("builds once for two concurrent calls", async () => {
    let builds = 0;
    const build = async ({ out }: { out: string }): Promise<void> => {
      builds++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await writeFile(join(out, "tool"), "whole");
    };
    await Promise.all([fill(join(dir, "a"), build), fill(join(dir, "a"), build)]);
    expect(builds).toBe(1);
    expect(await readdir(dir)).toEqual(["a"]);
  });

  it("takes the lock of a killed process and removes its files", async () => {
    await writeFile(join(dir, "a.lock"), DEAD);
    await mkdir(join(dir, `a.tmp-${DEAD}`, "out"), { recursive: true });
    await sweep(dir);
    await fill(join(dir, "a"), ({ out }) => writeFile(join(out, "tool"), "whole"));
    expect(await readdir(dir)).toEqual(["a"]);
  });
});

describe("removeOutdated", () => {
  it("keeps current tools and other directories", async () => {
    const [now, older] = ["etcd-0123456789abcdef", "etcd-fedcba9876543210"];
    for (const name of [now, older, "images", "logs", "etcd-tools"]) await mkdir(join(dir, name));
    await removeOutdated({ cacheDir: dir, folders: [join(dir, now)] });
    expect((await readdir(dir)).toSorted()).toEqual([now, "etcd-tools", "images", "logs"]);
  });
});

describe("cacheKey", () => {
  it("depends only on what determines the result", async () => {
    await writeFile(join(dir, "go.mod"), "module a\n");
    const key = await cacheKey(tool, dir, go);
    await writeFile(join(dir, "notes.txt"), "x");
    expect(await cacheKey({ ...tool, seconds: 99 }, dir, go)).toBe(key);
    expect(await cacheKey({ ...tool, tags: "x" }, dir, go)).not.toBe(key);
    expect(await cacheKey(tool, dir, { ...go, GOVERSION: "go1.27.0" })).not.toBe(key);
    await writeFile(join(dir, "main.go"), "package main\n");
    expect(await cacheKey(tool, dir, go)).not.toBe(key);
  });
});

describe("isNewEnough", () => {
  it.each([
    ["go1.26.8", "1.26.7", true],
    ["go1.26.7", "1.26.7", true],
    ["go1.26.10", "1.26.7", true],
    ["go1.27rc1", "1.26.7", true],
    ["go1.26.6", "1.26.7", false],
    ["go1.9", "1.26.7", false],
  ])("returns for the version %s and the minimum %s: %s", (version, oldest, expected) => {
    expect(isNewEnough(version, oldest)).toBe(expected);
  });
});
