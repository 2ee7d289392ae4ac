// Receivers of messages: HTTP on the first port, SMTP on the second. Prints each message as a line of JSON until
// standard input is closed. HTTP responds like PagerDuty's Events API v2 and Slack's incoming webhooks according to
// their documentation: it rejects malformed and too large messages, and Alertmanager counts them as failed.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";

const [httpPort, smtpPort, user, password] = process.argv.slice(2);

function print(message: object): void {
  console.log(JSON.stringify({ at: Date.now(), ...message }));
}

/** Returns the status and body of a service's response to a POST. */
function answer(path: string, body: string): [number, string] {
  if (path === "/slack") return answerOfSlack(body);
  if (path === "/pagerduty") return answerOfPagerDuty(body);
  return [200, ""];
}

/** Responds like Slack: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling errors". */
function answerOfSlack(body: string): [number, string] {
  const payload = parse(body) as { text?: string; attachments?: { text?: string }[] } | undefined;
  if (payload === undefined) return [400, "invalid_payload"];
  const texts = [payload.text, ...(payload.attachments ?? []).map((attachment) => attachment.text)];
  return texts.some((one) => one !== undefined && one !== "") ? [200, "ok"] : [400, "no_text"];
}

/**
 * Responds like PagerDuty (developer.pagerduty.com/docs/send-alert-event): with 202 to a valid event, with 400 to an
 * invalid one, and with 413 to one of more than 512 kB.
 */
function answerOfPagerDuty(body: string): [number, string] {
  if (Buffer.byteLength(body) > 512_000) return [413, ""];
  const event = parse(body) as
    | { routing_key?: string; event_action?: string; dedup_key?: string; payload?: PagerDutyPayload }
    | undefined;
  const { summary = "", source = "", severity = "" } = event?.payload ?? {};
  const errors = [
    ...(/^\w{32}$/.test(event?.routing_key ?? "") ? [] : ["'routing_key' has an invalid format"]),
    ...(["trigger", "resolve"].includes(event?.event_action ?? "") ? [] : ["'event_action' is invalid"]),
    ...((event?.dedup_key ?? "").length > 255 ? ["'dedup_key' is longer than 255"] : []),
    ...(event?.event_action === "trigger" && summary === "" ? ["'payload.summary' is missing"] : []),
    ...([...summary].length > 1024 ? ["'payload.summary' is longer than 1024"] : []),
    ...(event?.event_action === "trigger" && source === "" ? ["'payload.source' is missing"] : []),
    ...(["critical", "error", "warning", "info"].includes(severity) || event?.event_action === "resolve"
      ? []
      : ["'payload.severity' is invalid"]),
  ];
  return errors.length === 0
    ? [202, JSON.stringify({ status: "success", message: "Event processed", dedup_key: event?.dedup_key })]
    : [400, JSON.stringify({ status: "invalid event", message: "Event object is invalid", errors })];
}

interface PagerDutyPayload {
  summary?: string;
  source?: string;
  severity?: string;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const http = createServer((request, response) => {
  void text(request).then((body) => {
    const path = request.url ?? "";
    const [status, responseBody] = answer(path, body);
    print({ path, body, status });
    response.writeHead(status).end(responseBody);
  });
});

// No TLS, because Alertmanager doesn't trust certificates of tests.
const mail = new SMTPServer({
  disabledCommands: ["STARTTLS"],
  allowInsecureAuth: true,
  authMethods: ["LOGIN"],
  disableReverseLookup: true,
  onAuth(auth, _session, done) {
    const isRight = auth.username === user && auth.password === password;
    done(isRight ? undefined : new Error("Invalid user name or password"), { user });
  },
  onData(stream, { envelope }, done) {
    void text(stream).then((body) => {
      print({ path: "mail", body, status: 250, to: envelope.rcptTo.map(({ address }) => address) });
      done();
    });
  },
});
mail.on("error", (error) => {
  console.error(error);
});

http.listen(Number(httpPort), () => {
  mail.listen(Number(smtpPort), () => {
    console.log("ready");
  });
});
process.stdin.on("end", () => process.exit()).resume();
