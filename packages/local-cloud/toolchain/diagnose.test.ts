import { describe, expect, it } from "vitest";
import { diagnose, lastLines } from "./diagnose.ts";

// Logs are the real tools' output, shortened. `stops` is whether all further builds would fail too.
const cases: [name: string, log: string, expected: RegExp, stops: boolean][] = [
  [
    "a full disk",
    "compile: writing output: write $WORK/b076/_pkg_.a: no space left on device",
    /disk is full/,
    true,
  ],
  [
    "a full disk while copying",
    "Error: ENOSPC: no space left on device, copyfile 'a' -> 'b'",
    /disk is full.*Free some/,
    true,
  ],
  ["out of memory", "k8s.io/api/core/v1: compile: signal: killed", /memory ran out/, false],
  [
    "changed contents",
    "verifying github.com/a/b@v1.2.3: checksum mismatch\n\tdownloaded: h1:x\n\tgo.sum:     h1:y\n\nSECURITY ERROR",
    /content of github\.com\/a\/b@v1\.2\.3 does not match/,
    false,
  ],
  [
    "a module unknown to the checksum database",
    "go: github.com/a/b@v1.2.3: verifying go.mod: github.com/a/b@v1.2.3/go.mod: reading https://proxy/sumdb/sum/lookup/github.com/a/b@v1.2.3: 404 Not Found",
    /checksum database does not know github\.com\/a\/b@v1\.2\.3 \(404 Not Found\)/,
    false,
  ],
  [
    "a module version that the proxy rejects",
    "github.com/hashicorp/nomad/api@v0.0.0-20261016150620-df630b26e78a: reading https://proxy/github.com/hashicorp/nomad/api/@v/v0.0.0-20261016150620-df630b26e78a.zip: 403 Forbidden\n\tserver response: no.",
    /proxy rejects github\.com\/hashicorp\/nomad\/api@v0\.0\.0-20261016150620-df630b26e78a \(403 Forbidden\)/,
    false,
  ],
  [
    "a rejected module without a version before the URL",
    "go: reading https://proxy/github.com/a/b/@v/v1.2.3.mod: 404 Not Found",
    /proxy rejects github\.com\/a\/b@v1\.2\.3 \(404 Not Found\)/,
    false,
  ],
  [
    "no network",
    'go: github.com/a/b@v1.2.3: Get "https://proxy/github.com/a/b/@v/v1.2.3.mod": dial tcp: lookup proxy: no such host',
    /module proxy is not reachable/,
    true,
  ],
  [
    "a proxy that is not running",
    'go: github.com/a/b@v1.2.3: Get "https://proxy/github.com/a/b/@v/v1.2.3.mod": read: connection refused',
    /module proxy is not reachable/,
    true,
  ],
  [
    "an outdated Go",
    "go: go.mod requires go >= 1.26.7 (running go 1.24.4; GOTOOLCHAIN=local)",
    /Go 1\.24\.4 is too old: install Go 1\.26\.7/,
    false,
  ],
  [
    "an incomplete go.sum",
    "main.go:4:2: missing go.sum entry for module providing package a/b",
    /go mod tidy/,
    false,
  ],
  ["a cache that another user owns", "mkdir /home/ann/.cache: permission denied", /can't be written/, true],
];

describe("diagnose", () => {
  it.each(cases)("explains this problem and its solution: %s", (_name, log, expected, stops) => {
    const diagnosis = diagnose(`$ go build\ngo: downloading github.com/x/y v1.0.0\n${log}\n`);
    expect(diagnosis?.message).toMatch(expected);
    expect(diagnosis?.message).not.toContain("\n");
    expect(diagnosis?.stops).toBe(stops);
  });

  it("returns undefined for an unknown problem such as a compile error", () => {
    expect(diagnose("./main.go:3:1: undefined: x\ngo: downloading github.com/a/b v1.40.4")).toBeUndefined();
  });

  it("returns only the last lines of a log", () => {
    expect(lastLines("1\n2\n3\n\n", 2)).toBe("    2\n    3");
  });
});
