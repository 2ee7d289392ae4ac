import { z } from "zod";
import { parseHostPort } from "./hosts.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

/** Description of an e-mail address. */
export const MAIL = "an e-mail address, like ci@example.org";

/** Maximum characters of an address, and of its part before the @ (RFC 5321, 4.5.3.1). */
const MAX_ADDRESS = 254;
const MAX_LOCAL_PART = 64;

/** Reports whether the value is an e-mail address. */
export function isMailAddress(value: string): boolean {
  return z.regexes.email.test(value) && value.length <= MAX_ADDRESS && value.indexOf("@") <= MAX_LOCAL_PART;
}

/**
 * Google Cloud drops connections to this port outside the VPC
 * (cloud.google.com/compute/docs/tutorials/sending-mail).
 */
const BLOCKED_PORT = 25;

/** Description of a mail server. */
export const MAIL_SERVER =
  "a mail server with a port from 1 to 65535, like smtp.example.org:587; Google Cloud blocks port 25";

/** Reports whether the value is a mail server with a port that Google Cloud doesn't block. */
export function isMailServer(value: string): boolean {
  const server = parseHostPort(value);
  return server !== undefined && server.port !== BLOCKED_PORT;
}

/**
 * Checks that `alerts.smtp` is set if `alerts.email` has addresses, and that `alerts.smtp.user` and `smtpPassword` are
 * either both set or both unset.
 */
export function checkMail(raw: unknown): Problem[] {
  const email = valueAt(raw, ["alerts", "email"]);
  const server = valueAt(raw, ["alerts", "smtp"]);
  const user = valueAt(raw, ["alerts", "smtp", "user"]);
  const password = valueAt(raw, ["smtpPassword"]);
  const checks: [boolean, string[], unknown, string][] = [
    [
      Array.isArray(email) && email.length > 0 && server === undefined,
      ["alerts", "smtp"],
      server,
      "a mail server (host, from) when alerts.email has addresses",
    ],
    [
      user !== undefined && password === undefined,
      ["smtpPassword"],
      password,
      "a secret when alerts.smtp.user is set: pulumi config set --secret smtpPassword",
    ],
    [
      user === undefined && password !== undefined,
      ["smtpPassword"],
      "[secret]",
      "no value unless alerts.smtp.user is set",
    ],
  ];
  return checks.filter(([wrong]) => wrong).map(([, path, value, allowed]) => ({ path, value, allowed }));
}
