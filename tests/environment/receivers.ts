import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa, type ResultPromise } from "execa";
import { type Cloud, ciHost, commandIn } from "k8sfv-local-cloud";
import { typeScriptLoader } from "k8sfv-local-cloud/testing";

/** A received message. */
export interface Message {
  /** Unix time in ms at which the message arrived. */
  at: number;
  /** Path of the POST, or "mail". */
  path: string;
  /** Body of the POST, or the mail with its headers. */
  body: string;
  /** Status of the receiver's response; 2xx if it accepted the message. */
  status: number;
  /** Recipients of the mail. */
  to?: string[];
}

/** The fields of Alertmanager's JSON that the tests read. */
export interface WebhookBody {
  status: "firing" | "resolved";
  commonLabels: Record<string, string>;
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[];
}

/** Address of the CI host: the last one of 10.248.0.0/20 that Google assigns. */
const HOST = "10.248.15.253";
const HTTP_PORT = 8099;
const SMTP_PORT = 8025;
const MAIL_USER = "k8sfv";
const MAIL_PASSWORD = "mail-password-of-a-test";

/** Stack configuration that sends all messages to {@link Receivers}: plain and secret values by key. */
export const RECEIVER_CONFIG = {
  plain: {
    "alerts.heartbeatUrl": `http://${HOST}:${HTTP_PORT}/heartbeat`,
    "alerts.pagerDutyUrl": `http://${HOST}:${HTTP_PORT}/pagerduty`,
    "alerts.email[0]": "ci@example.org",
    "alerts.email[1]": "dev@example.org",
    "alerts.smtp.host": `${HOST}:${SMTP_PORT}`,
    "alerts.smtp.from": "k8sfv@example.org",
    "alerts.smtp.user": MAIL_USER,
    "alerts.smtp.requireTls": false,
  },
  secret: {
    alertWebhookUrl: `http://${HOST}:${HTTP_PORT}/webhook`,
    alertSlackUrl: `http://${HOST}:${HTTP_PORT}/slack`,
    alertPagerDutyKey: "0123456789abcdef0123456789abcdef",
    smtpPassword: MAIL_PASSWORD,
  },
};

/** Receivers of alerts, as a process on the CI host in the VPC. */
export class Receivers {
  readonly messages: Message[] = [];

  private constructor(private readonly server: ResultPromise) {}

  /** Starts the receivers' process. @throws Error with the process's standard error if it exits during its start */
  static async start(cloud: Cloud): Promise<Receivers> {
    const program = fileURLToPath(new URL("receivers-main.ts", import.meta.url));
    const args = [HTTP_PORT, SMTP_PORT, MAIL_USER, MAIL_PASSWORD].map(String);
    const command = [process.execPath, "--import", typeScriptLoader, program, ...args];
    const [file, ...rest] = await commandIn(cloud, ciHost, command, "network");
    const server = execa(file, rest, { lines: true, reject: false });
    const receivers = new Receivers(server);
    await new Promise<void>((resolve, reject) => {
      void (async () => {
        for await (const line of server) {
          if (line === "ready") resolve();
          else receivers.messages.push(JSON.parse(line) as Message);
        }
        reject(new Error(`The receivers ended: ${String((await server).stderr)}`));
      })().catch(reject);
    });
    return receivers;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    this.server.stdin?.end();
    await this.server;
  }

  /** Returns the messages that one receiver accepted at or after `since`, a Unix time in ms. */
  of(path: string, since = 0): Message[] {
    return this.messages.filter(
      ({ path: where, at, status }) => where === path && at >= since && status < 300,
    );
  }

  /** Returns the messages that a receiver rejected. */
  refused(): Message[] {
    return this.messages.filter(({ status }) => status >= 300);
  }

  /** Returns the webhook's messages with an alert that has this label, at or after `since`, a Unix time in ms. */
  webhook(label: string, value: string, since = 0): WebhookBody[] {
    return this.of("/webhook", since)
      .map(({ body }) => JSON.parse(body) as WebhookBody)
      .filter(({ alerts }) => alerts.some(({ labels }) => labels[label] === value));
  }

  /** Waits until `found` returns a value. @throws Error with all messages after `timeoutMs` */
  async until<T>(found: () => T | undefined, timeoutMs: number): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const result = found();
      if (result !== undefined) return result;
      if (Date.now() > deadline) {
        const seen = this.messages.map(
          ({ path, status, body }) => `${path} ${status}: ${body.slice(0, 300)}`,
        );
        throw new Error(`No such message after ${timeoutMs / 1000} s. Messages:\n${seen.join("\n")}`);
      }
      await sleep(500);
    }
  }
}
