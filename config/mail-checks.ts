import { z } from "zod";
import { parseHostPort } from "./hosts.ts";
import type { Problem } from "./problems.ts";
import { valueAt } from "./problems.ts";

export const MAIL = "an e-mail address, like ci@example.org";

/** Characters of an address, and of the part before the @ (RFC 5321, 4.5.3.1). */
const MAX_ADDRESS = 254;
const MAX_LOCAL_PART = 64;

export function isMailAddress(value: string): boolean {
  return z.regexes.email.test(value) && value.length <= MAX_ADDRESS && value.indexOf("@") <= MAX_LOCAL_PART;
}

/** Google Cloud drops connections to it that leave the VPC (cloud.google.com/compute/docs/tutorials/sending-mail). */
const BLOCKED_PORT = 25;

export const MAIL_SERVER =
  "a mail server with its port, like smtp.example.org:587, from 1 to 65535 but not 25, which Google Cloud blocks";

export function isMailServer(value: string): boolean {
  const server = parseHostPort(value);
  return server !== undefined && server.port !== BLOCKED_PORT;
}

/** E-mail needs a server, and a user's password is of use only with the user. */
export function checkMail(raw: unknown): Problem[] {
  const email = valueAt(raw, ["alerts", "email"]);
  const server = valueAt(raw, ["alerts", "smtp"]);
  const user = valueAt(raw, ["alerts", "smtp", "user"]);
  const password = valueAt(raw, ["smtpPassword"]);
  const allowed: [boolean, string[], unknown, string][] = [
    [
      Array.isArray(email) && email.length > 0 && server === undefined,
      ["alerts", "smtp"],
      server,
      "a mail server (host, from) when alerts.email names somebody",
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
      "nothing unless alerts.smtp.user is set",
    ],
  ];
  return allowed.filter(([wrong]) => wrong).map(([, path, was, allowed]) => ({ path, was, allowed }));
}
