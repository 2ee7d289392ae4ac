/** Reads pages of the text exposition format as a Pushgateway writes them. */
import { isUtf8 } from "node:buffer";

/** A page that Prometheus would not take, or that is not whole. */
export class InvalidExpositionError extends Error {}

/**
 * The Accept header under which the Pushgateway shows names as they are. By default it replaces what is not allowed in a
 * name with underscores, and two families could become one (prometheus/common, expfmt, Negotiate).
 */
export const ACCEPT = "text/plain; version=0.0.4; escaping=allow-utf-8";

/** A family that the Pushgateway exposes about itself at all times: without it the page was cut off. */
const OWN_FAMILY = "pushgateway_build_info{";
/** Families that the Pushgateway adds to each group. */
const PUSH_TIME = "push_time_seconds{";
const PUSH_FAILURE_TIME = "push_failure_time_seconds{";
/** Every pushed sample has a label `job`; none that the Pushgateway exposes about itself has. */
const PUSHED = 'job="';
/** Names that would be taken for the Pushgateway's or the proxy's own metrics. */
const RESERVED = /^(?:pushgateway|push_proxy)_/;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Checks a page line by line. Lines are in latin1: one character for each byte. */
export class PageChecker {
  private header = false;
  private whole = false;

  /** @throws InvalidExpositionError when Prometheus would not take the line */
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
   * The Pushgateway ends a page with status 200 where it meets a family that it can't write.
   *
   * @throws InvalidExpositionError when the page was cut off
   */
  end(rest: string): void {
    if (this.header || !this.whole || rest !== "") {
      throw new InvalidExpositionError(
        "the page ends before its last family: the type of a family is not known",
      );
    }
  }
}

/** What a page of the canary, which holds one group, says of that group. */
export interface PushedGroup {
  /** The group's labels as the Pushgateway writes them, sorted: they identify the group. */
  labels: string;
  /** The group's families in the text exposition format. */
  text: Buffer;
}

/**
 * Extracts the one group of a page, without the families that the Pushgateway adds itself.
 *
 * @returns undefined when the page has no group
 * @throws InvalidExpositionError
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

/** The line by which a page says that no push to the group ever succeeded. */
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
