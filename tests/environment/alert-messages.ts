import { expect } from "vitest";
import type { Message, Receivers } from "./receivers.ts";

/** Slack's payload, with only the fields that the tests use. */
export interface SlackBody {
  attachments: { title: string; text: string }[];
}

/** An event of PagerDuty's Events API v2, with only the fields that the tests use. */
export interface PagerDutyBody {
  event_action: string;
  dedup_key: string;
  payload: { summary: string; severity: string; custom_details: { firing: string } };
}

/** Values of `Message.path` for all receivers except the webhook. */
export const CHANNELS = ["/slack", "/pagerduty", "mail"];

/** Returns the messages about nightly runs that a receiver got. */
export function nightlyMessages(receivers: Receivers, channel: string): Message[] {
  return receivers.of(channel).filter(({ body }) => body.includes("Nightly runs"));
}

/**
 * Checks that the message about 300 failed tests respects each receiver's documented limits. The sources of
 * the limits are in tests/environment/receivers-main.ts and monitoring-mixin/alertmanager/messages.tmpl.
 */
export function expectWithinLimits(receivers: Receivers): void {
  const [slack] = nightlyMessages(receivers, "/slack").map(({ body }) => JSON.parse(body) as SlackBody);
  const [attachment] = slack?.attachments ?? [];
  expect(attachment?.title).toMatch(/^Nightly runs: .*\b300 TestFailed/);
  expect([...(attachment?.title ?? "")].length).toBeLessThanOrEqual(1024);
  expect([...(attachment?.text ?? "")].length).toBeLessThanOrEqual(4000);
  expect(attachment?.text).toContain("projectcalico/felix master: ");
  const [post] = nightlyMessages(receivers, "/pagerduty");
  const event = JSON.parse(post?.body ?? "{}") as PagerDutyBody;
  expect([...event.payload.summary].length).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(post?.body ?? "")).toBeLessThanOrEqual(512_000);
  expect(event.dedup_key.length).toBeLessThanOrEqual(255);
  expect(event.payload.custom_details.firing).toContain("(5 of 300)");
  const [mail] = nightlyMessages(receivers, "mail");
  expect(mail?.body).toMatch(/^Subject: .*Nightly/m);
  // RFC 5321, 4.5.3.1.6: a line of text has at most 1,000 octets, including the two of the line end.
  for (const line of mail?.body.split("\r\n") ?? []) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
}
