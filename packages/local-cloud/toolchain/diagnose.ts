/** Explanation of a failed build's log. */
export interface Diagnosis {
  message: string;
  /** Whether every other build would fail in the same way, so that no more builds are started. */
  stops: boolean;
}

interface Rule {
  pattern: RegExp;
  stops?: boolean;
  say: (match: RegExpExecArray) => string;
}

const again = "Then retry: completed builds and downloads are kept.";

function proxyRejected([, module = "a module", version = "", answer = "no status"]: RegExpExecArray): string {
  return `The module proxy rejects ${module}@${version} (${answer}): use a proxy that serves it (see "go env GOPROXY") or pin another version.`;
}

// The first match wins: causes come before their consequences.
const rules: Rule[] = [
  {
    pattern: /no space left on device|ENOSPC|disk quota exceeded/i,
    stops: true,
    say: () =>
      `The disk is full: a first build takes about 16 GB (this cache, "go env GOCACHE" and "go env GOMODCACHE"). Free some space. ${again}`,
  },
  {
    pattern: /signal: killed|out of memory|cannot allocate memory/i,
    say: () =>
      `The compiler was killed, probably because memory ran out: a build needs 8 GB. Close other programs. ${again}`,
  },
  {
    pattern: /(?:verifying )?(\S+@v\S+?):? checksum mismatch/,
    say: ([, module = "a module"]) =>
      `The content of ${module} does not match its checksum in go.sum, so it was not built. Find the cause before you continue; "go clean -modcache" only helps if the download was corrupted.`,
  },
  {
    pattern: /\/lookup\/(\S+@v\S+?): (\d{3} \w+(?: \w+)?)/,
    say: ([, module = "a module", answer = "no"]) =>
      `The checksum database does not know ${module} (${answer}), so Go does not use it: check the settings in "go env GOSUMDB GOPROXY".`,
  },
  {
    pattern: /(?<=\s)([^\s:@]*[^\s:@/])@(v[^\s:/]+):.*?(40[134] [A-Z]\w+(?: [A-Z]\w+)?|410 Gone)/,
    say: proxyRejected,
  },
  {
    pattern:
      /reading https?:\/\/[^\s/]+\/(\S+)\/@v\/(v\S+)\.(?:zip|mod|info): (40[134] [A-Z]\w+(?: [A-Z]\w+)?|410 Gone)/,
    say: proxyRejected,
  },
  {
    pattern:
      /dial tcp|no such host|network is unreachable|connection refused|connection reset|i\/o timeout|TLS handshake timeout|proxyconnect|unexpected EOF|module lookup disabled by GOPROXY=off/,
    stops: true,
    say: () =>
      `Go modules can't be downloaded: the module proxy is not reachable. Check "go env GOPROXY", HTTPS_PROXY and your firewall. ${again}`,
  },
  {
    pattern: /requires go >= ([\d.]+) \(running go ([\d.]+)/,
    say: ([, wanted = "", running = ""]) =>
      `Go ${running} is too old: install Go ${wanted} or newer (https://go.dev/doc/install).`,
  },
  {
    pattern: /missing go\.sum entry|updates to go\.(?:mod|sum) needed/,
    say: () =>
      'The module\'s go.mod and go.sum don\'t match: run "go mod tidy" (or "go build -mod=mod") in its directory and commit both.',
  },
  {
    pattern: /permission denied|EACCES|read-only file system/i,
    stops: true,
    say: () =>
      `A cache directory can't be written: check the owner of this cache, "go env GOCACHE" and "go env GOMODCACHE". ${again}`,
  },
];

/** Explains from a failed build's log what failed and what to do. Returns undefined for an unknown problem. */
export function diagnose(log: string): Diagnosis | undefined {
  for (const rule of rules) {
    const match = rule.pattern.exec(log);
    if (match !== null) return { message: rule.say(match), stops: rule.stops ?? false };
  }
  return undefined;
}

/** Returns the last lines of a log, indented. */
export function lastLines(log: string, count = 8): string {
  return log
    .trimEnd()
    .split("\n")
    .slice(-count)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join("\n");
}
