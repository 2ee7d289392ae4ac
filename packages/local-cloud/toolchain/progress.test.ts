import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Progress, elapsed } from "./progress.ts";

let written: string[] = [];
const output = (isTTY: boolean) => ({ isTTY, columns: 200, write: (text: string) => written.push(text) });

beforeEach(() => {
  written = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("Progress", () => {
  it("writes a line every 30 s without a terminal", () => {
    const progress = new Progress(2, output(false));
    progress.begin("2 to build");
    progress.started("etcd");
    progress.line("etcd", "go: downloading go.uber.org/zap v1.27.0");
    vi.advanceTimersByTime(30_000);
    progress.line("etcd", "# some/package");
    vi.advanceTimersByTime(31_000);
    progress.finished("etcd", true);
    progress.end();
    expect(written).toEqual([
      "2 to build\n",
      "toolchain: 0 of 2 built, 30s: building etcd (downloading, 30s)\n",
      "toolchain: 0 of 2 built, 1m00s: building etcd (1m00s)\n",
      "toolchain: 1 of 2: etcd built in 1m01s\n",
    ]);
  });

  it("updates one line on a terminal and removes it at the end", () => {
    const progress = new Progress(1, output(true));
    progress.begin("1 to build");
    progress.started("etcd");
    vi.advanceTimersByTime(1_000);
    progress.end();
    expect(written.at(-2)).toBe("\r\x1b[Ktoolchain: 0 of 1 built, 1s: building etcd (1s)");
    expect(written.at(-1)).toBe("\r\x1b[K");
  });

  it("does not count failed builds", () => {
    const progress = new Progress(1, output(false));
    progress.started("etcd");
    progress.finished("etcd", false);
    expect(progress.status()).toContain("0 of 1 built");
    expect(written).toEqual(["toolchain: etcd FAILED after 0s\n"]);
  });

  it("formats durations", () => {
    expect([0, 59_999, 60_000, 754_000].map(elapsed)).toEqual(["0s", "59s", "1m00s", "12m34s"]);
  });
});
