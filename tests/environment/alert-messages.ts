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

/** All channels except the webhook. */
export const CHANNELS = ["/slack", "/pagerduty", "mail"];

/** Returns the nightly messages on one channel, of which there must be at least one. */
export function nightlyMessages(receivers: Receivers, channel: string): Message[] {
  return receivers.of(channel).filter(({ body }) => body.includes("Nightly runs"));
}

/**
 * Checks the nightly message of 300 failed tests against the documented limits of each channel. Sources are in
 * tests/environment/receivers-main.ts and monitoring-mixin/alertmanager/messages.tmpl.
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
  // RFC 5321, 4.5.3.1.6: a line of text has at most 1,000 octets, with its line end.
  for (const line of mail?.body.split("\r\n") ?? []) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
}
