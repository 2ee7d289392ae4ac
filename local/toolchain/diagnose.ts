/** What a failed build's log means, in a person's words. */
export interface Diagnosis {
  message: string;
  /** True when every other build would fail in the same way, so that none need be started. */
  stops: boolean;
}

interface Rule {
  pattern: RegExp;
  stops?: boolean;
  say: (match: RegExpExecArray) => string;
}

const again = "Then run it again: what is built and downloaded is kept.";

function refused([, module = "a module", version = "", answer = "refused"]: RegExpExecArray): string {
  return `The module proxy refuses ${module}@${version} (${answer}): use a proxy that serves it (see "go env GOPROXY") or pin a version that yours has.`;
}

// The first that matches wins, so what explains more stands before what it causes.
const rules: Rule[] = [
  {
    pattern: /no space left on device|ENOSPC|disk quota exceeded/i,
    stops: true,
    say: () =>
      `The disk is full: a first build takes about 16 GB (this cache, "go env GOCACHE" and "go env GOMODCACHE"). Free some. ${again}`,
  },
  {
    pattern: /signal: killed|out of memory|cannot allocate memory/i,
    say: () =>
      `The compiler was killed, most likely for want of memory: a build needs 8 GB. Close other programs. ${again}`,
  },
  {
    pattern: /(?:verifying )?(\S+@v\S+?):? checksum mismatch/,
    say: ([, module = "a module"]) =>
      `The contents of ${module} are not those that its go.sum line records: nothing of it was built. Find out why before anything else; a cleaned cache ("go clean -modcache") helps only if the download was damaged.`,
  },
  {
    pattern: /\/lookup\/(\S+@v\S+?): (\d{3} \w+(?: \w+)?)/,
    say: ([, module = "a module", answer = "no"]) =>
      `The checksum database does not know ${module} (${answer}), so Go refuses to use it: see "go env GOSUMDB GOPROXY" for the ones in use.`,
  },
  {
    pattern: /(?<=\s)([^\s:@]*[^\s:@/])@(v[^\s:/]+):.*?(40[134] [A-Z]\w+(?: [A-Z]\w+)?|410 Gone)/,
    say: refused,
  },
  {
    pattern:
      /reading https?:\/\/[^\s/]+\/(\S+)\/@v\/(v\S+)\.(?:zip|mod|info): (40[134] [A-Z]\w+(?: [A-Z]\w+)?|410 Gone)/,
    say: refused,
  },
  {
    pattern:
      /dial tcp|no such host|network is unreachable|connection refused|connection reset|i\/o timeout|TLS handshake timeout|proxyconnect|unexpected EOF|module lookup disabled by GOPROXY=off/,
    stops: true,
    say: () =>
      `Go modules can't be downloaded: no way to the module proxy. See that "go env GOPROXY" can be reached from here (HTTPS_PROXY, firewall). ${again}`,
  },
  {
    pattern: /requires go >= ([\d.]+) \(running go ([\d.]+)/,
    say: ([, wanted = "", running = ""]) =>
      `Go ${running} is too old: install Go ${wanted} or newer (https://go.dev/doc/install).`,
  },
  {
    pattern: /missing go\.sum entry|updates to go\.(?:mod|sum) needed/,
    say: () =>
      'The module\'s go.mod and go.sum don\'t fit together: run "go mod tidy" (or "go build -mod=mod") in its folder and commit both.',
  },
  {
    pattern: /permission denied|EACCES|read-only file system/i,
    stops: true,
    say: () =>
      `A cache folder can't be written: see who owns this cache, "go env GOCACHE" and "go env GOMODCACHE". ${again}`,
  },
];

/** Says what a failed build's log means and what to do; undefined when nothing in it is known. */
export function diagnose(log: string): Diagnosis | undefined {
  for (const rule of rules) {
    const match = rule.pattern.exec(log);
    if (match !== null) return { message: rule.say(match), stops: rule.stops ?? false };
  }
  return undefined;
}

/** The last lines of a log, indented, for a message. */
export function lastLines(log: string, count = 8): string {
  return log
    .trimEnd()
    .split("\n")
    .slice(-count)
    .map((line) => `    ${line.slice(0, 300)}`)
    .join("\n");
}
