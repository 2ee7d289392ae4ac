/** Parses a Pushgateway's metrics in the text exposition format. */
import { isUtf8 } from "node:buffer";

/** Thrown for metrics that Prometheus would reject or that are incomplete. */
export class InvalidExpositionError extends Error {}

/**
 * Accept header with which the Pushgateway returns unchanged names. By default, the Pushgateway replaces invalid
 * characters with underscores, so that two families could get the same name (prometheus/common, expfmt, Negotiate).
 */
export const ACCEPT = "text/plain; version=0.0.4; escaping=allow-utf-8";

/** A family that the Pushgateway always exposes. A response without this family is truncated. */
const OWN_FAMILY = "pushgateway_build_info{";
/** Families that the Pushgateway adds to each group. */
const PUSH_TIME = "push_time_seconds{";
const PUSH_FAILURE_TIME = "push_failure_time_seconds{";
/**
 * Text that identifies a pushed sample: all pushed samples have the label `job`, and the Pushgateway's own
 * samples don't.
 */
const PUSHED = 'job="';
/** Names that could be mistaken for the Pushgateway's or the proxy's own metrics. */
const RESERVED = /^(?:pushgateway|push_proxy)_/;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Validates metrics line by line. Lines are in latin1, i.e. one character per byte. */
export class PageChecker {
  private header = false;
  private whole = false;

  /** @throws InvalidExpositionError if Prometheus would reject the line */
  line(line: string): void {
    if (!isAscii(line) && !isUtf8(Buffer.from(line, "latin1"))) {
      throw new InvalidExpositionError(`not UTF-8: ${excerpt(line)}`);
    }
    this.header = line.startsWith("# HELP ") || line.startsWith("# TYPE ");
    if (this.header) return;
    if (line.startsWith(OWN_FAMILY)) this.whole = true;
    const series = line.slice(0, Math.max(0, line.lastIndexOf(" ")));
    const brace = series.indexOf("{");
    const name = brace === -1 ? series : series.slice(0, brace);
    if (!NAME.test(name) || (brace !== -1 && !series.endsWith("}"))) {
      throw new InvalidExpositionError(
        `not a sample with a name of letters, digits, _ and : ${excerpt(line)}`,
      );
    }
  }

  /**
   * Checks the end of the metrics. If the Pushgateway can't write a family, it truncates the response there, although
   * the status is already 200.
   *
   * @throws InvalidExpositionError if the response is truncated
   */
  end(rest: string): void {
    if (this.header || !this.whole || rest !== "") {
      throw new InvalidExpositionError(
        "the metrics end before the last family: the type of a family is not known",
      );
    }
  }
}

/** The group of one push, parsed from the metrics of the test Pushgateway that receives it first (canary.ts). */
export interface PushedGroup {
  /** Sorted labels in the Pushgateway's format, which identify the group. */
  labels: string;
  /** Families of the group in the text exposition format. */
  text: Buffer;
}

/**
 * Extracts the only group from the metrics of the canary (a Pushgateway that holds one push at a time, canary.ts),
 * without the families that the Pushgateway adds.
 *
 * @returns undefined if there is no group
 * @throws InvalidExpositionError if a line is invalid, a name is reserved, or the metrics are truncated
 */
export function pushedGroup(page: Buffer): PushedGroup | undefined {
  const lines = page.toString("latin1").split("\n");
  const rest = lines.pop() ?? "";
  const checker = new PageChecker();
  const kept: string[] = [];
  const groups: string[] = [];
  let [previous, header]: [string, string[]] = ["", []];
  for (const line of lines) {
    checker.line(line);
    if (line.startsWith("# TYPE ")) header = previous.startsWith("# HELP ") ? [previous, line] : [line];
    else if (line.startsWith(PUSH_TIME)) {
      groups.push(line.slice(PUSH_TIME.length, line.lastIndexOf("}")));
    } else if (isPushed(line)) {
      if (RESERVED.test(line)) throw new InvalidExpositionError(`the name is reserved: ${excerpt(line)}`);
      kept.push(...header, line);
      header = [];
    }
    previous = line;
  }
  checker.end(rest);
  const [labels] = groups;
  if (labels === undefined) return undefined;
  if (groups.length > 1) throw new InvalidExpositionError("the canary holds a group of an earlier push");
  return { labels, text: Buffer.from(kept.map((line) => `${line}\n`).join(""), "latin1") };
}

/** Returns the line that the Pushgateway's metrics contain for a group without a successful push. */
export function neverPushed(labels: string): string {
  return `${PUSH_TIME}${labels}} 0`;
}

function isPushed(line: string): boolean {
  return !line.startsWith("# ") && line.includes(PUSHED) && !line.startsWith(PUSH_FAILURE_TIME);
}

function isAscii(line: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(line);
}

function excerpt(line: string): string {
  return JSON.stringify(line.slice(0, 100));
}
