import { expect, test } from "vitest";
import { external, messageFor, testRejections } from "./configs.ts";

/** Invalid configuration of e-mail, alert receivers, external pushes and remote write. */
testRejections(
  [
    "e-mail without a server",
    { alerts: { email: ["ci@example.org"] } },
    "alerts.smtp is missing; allowed: a mail server",
  ],
  [
    "an invalid e-mail address",
    { alerts: { email: ["ci"] } },
    'alerts.email.0 is "ci"; allowed: an e-mail address',
  ],
  [
    "a mail server without a port",
    { alerts: { smtp: { host: "mail", from: "a@b.org" } } },
    "allowed: a mail server with a port",
  ],
  [
    "a mail server at port 25, which Google Cloud blocks",
    { alerts: { smtp: { host: "mail:25", from: "a@b.org" } } },
    "Google Cloud blocks port 25",
  ],
  [
    "an invalid port",
    { alerts: { smtp: { host: "mail:65536", from: "a@b.org" } } },
    'alerts.smtp.host is "mail:65536"; allowed: a mail server',
  ],
  [
    "a routing key that is too short, without showing it",
    { alertPagerDutyKey: "hidden" },
    'alertPagerDutyKey is "[secret]"; allowed: a routing key: 32 letters and digits',
  ],
  [
    "a runbook URL with a fragment",
    { alerts: { runbookUrl: "https://example.org/docs#alerts" } },
    "alerts.runbookUrl",
  ],
  [
    "an SMTP user without a password",
    { alerts: { smtp: { host: "mail:587", from: "a@b.org", user: "ci" } } },
    "smtpPassword is missing; allowed: a secret",
  ],
  [
    "an SMTP password without a user",
    { smtpPassword: "hidden" },
    'smtpPassword is "[secret]"; allowed: no value unless',
  ],
  [
    "an invalid webhook, without showing it",
    { alertWebhookUrl: "hidden" },
    'alertWebhookUrl is "[secret]"; allowed: a URL',
  ],
  [
    "a Slack URL that begins with http://, without showing it",
    { alertSlackUrl: "http://hooks.slack.com/services/hidden" },
    'alertSlackUrl is "[secret]"; allowed: a URL',
  ],
  [
    "a threshold of 0 % for the growth of occupancy",
    { alerts: { occupancyGrowthPercent: 0 } },
    "alerts.occupancyGrowthPercent is 0; allowed: an integer",
  ],
  [
    "an unknown exposure",
    { pushGateway: { exposure: "world" } },
    'allowed: "internal", "in-cluster" or "external"',
  ],
  [
    "external exposure without a password",
    external({ auth: false }),
    "pushGateway.auth is false; allowed: true when",
  ],
  [
    "external exposure without a domain",
    external({ domain: undefined }),
    "pushGateway.domain is missing; allowed: a domain",
  ],
  [
    "external exposure without source ranges",
    external({ sourceRanges: undefined }),
    "pushGateway.sourceRanges is missing; allowed",
  ],
  [
    "the whole internet as a source range",
    external({ sourceRanges: ["0.0.0.0/0"] }),
    "an IPv4 range with a prefix from /8",
  ],
  [
    "an empty list of source ranges",
    external({ sourceRanges: [] }),
    'a list of IPv4 ranges, like [203.0.113.0/24], or "anywhere"',
  ],
  [
    "an IP address instead of a domain",
    external({ domain: "203.0.113.9" }),
    "allowed: a domain name of at most 63 characters, like push.example.com",
  ],
  [
    "a domain if the exposure is not external",
    { pushGateway: { domain: "push.example.com" } },
    "no value unless pushGateway.exposure",
  ],
  ["an invalid URL for remote write", { remoteWrite: { url: "mimir" } }, "remoteWrite.url is"],
  ["remote write without a URL", { remoteWrite: { user: "x" } }, "remoteWrite.url is missing"],
  [
    "a user in the URL of remote write",
    { remoteWrite: { url: "https://u:p@mimir/" } },
    "allowed: an http:// or https:// URL",
  ],
  [
    "a user of remote write without a password",
    { remoteWrite: { url: "https://mimir/", user: "k8sfv" } },
    "remoteWritePassword is missing; allowed: the password of remoteWrite.user",
  ],
  [
    "a password of remote write without a user",
    { remoteWritePassword: "hush" },
    'remoteWritePassword is "[secret]"; allowed: no value',
  ],
);

/** Returns a configuration with an e-mail address of `characters` characters, of which `local` are before the @. */
function mailOf(local: number, characters: number): Record<string, unknown> {
  const labels = "d".repeat(50) + ".";
  const domain = labels.repeat(5).slice(0, characters - local - 1 - 4) + ".org";
  return {
    alerts: { email: [`${"l".repeat(local)}@${domain}`], smtp: { host: "mail:587", from: "a@b.org" } },
  };
}

test("limits e-mail addresses to 254 characters, and the part before the @ to 64 (RFC 5321)", () => {
  expect(messageFor(mailOf(64, 254))).toBe("no problem");
  expect(messageFor(mailOf(65, 200))).toContain("allowed: an e-mail address");
  expect(messageFor(mailOf(64, 255))).toContain("allowed: an e-mail address");
});

const patterns = (codeLevels: string) => ({ alerts: { expectedRuns: [{ codeLevels, days: [] }] } });

test.each([
  "",
  "*",
  "(",
  "\\u0041",
  "\\bmain",
  "[^]",
  "(?<name>x)",
  "(?=x)",
  "x{1001}",
  "(x{40}){40}",
  "v\\",
])("rejects the pattern %j, which is invalid in RE2 or JavaScript", (codeLevels) => {
  expect(messageFor(patterns(codeLevels))).toContain("allowed: a regular expression of RE2");
});

test.each([
  "release-.*",
  "release-v\\d+\\.\\d+",
  "(?:main|master)",
  "v[0-9]{1,3}",
  "x{1000}",
  "https://github\\.com/.*-master",
])("accepts the pattern %j", (codeLevels) => {
  expect(messageFor(patterns(codeLevels))).toBe("no problem");
});
