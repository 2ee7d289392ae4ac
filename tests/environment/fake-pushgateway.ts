import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

/** Metric family of a group. */
interface Family {
  type: string;
  help: string;
  /** Samples in the text exposition format, with the labels of their group. */
  samples: string[];
}

/** Metric group. */
interface Group {
  labels: Record<string, string>;
  families: Record<string, Family>;
  /** Unix time in seconds of the last successful push; 0 if there is none. */
  pushTime: number;
}

/** A request, as passed to `fault` and `beforeResponse`. */
interface FakeRequest {
  method: string;
  path: string;
  body: string;
}

/**
 * Name of the fake Pushgateway's own counter. Once it exposes the counter, it rejects pushes of a metric with this name
 * and another type.
 */
export const SCRAPES = "own_scrapes_total";

interface FakePushgatewayOptions {
  port: number;
  /** Persistence file. @default none */
  file?: string;
  /** Value of the header `Authorization` that each request needs. @default none */
  authorization?: string;
}

/**
 * Behaves like the parts of the Pushgateway that the push proxy uses, so that tests can make it fail at a chosen moment.
 * Tests with this class prove what the proxy does. Only tests/environment/push-*.test.ts prove that the real Pushgateway
 * behaves like this. Supports gauges and counters.
 */
export class FakePushgateway {
  /** Accepted and rejected changes in the order of their arrival, such as "PUT /metrics/job/a". */
  readonly changes: string[] = [];
  /** Whether changes are written to the persistence file. */
  writes = true;
  /** Number of upcoming changes that are not written to the file, even if `writes` is true. */
  missedWrites = 0;
  /**
   * Returns the fault of each request: "drop" closes the connection, "hang" sends no response, "half" closes the
   * connection in the middle of the response's body, and a number is the response's status. Undefined means no fault.
   */
  fault: (request: FakeRequest) => "drop" | "half" | "hang" | number | undefined = () => undefined;

  /** Called before the response to each request. */
  beforeResponse: (request: FakeRequest) => Promise<void> = () => Promise.resolve();

  private groups: Record<string, Group> = {};
  private server: Server | undefined;
  /**
   * Whether the server exposes its own counter, which is named SCRAPES. It does from the first scrape after the first
   * push. From then on, it rejects pushes of a metric with this name and another type.
   */
  private countsScrapes = false;
  private readonly sockets = new Set<Socket>();
  private readonly options: FakePushgatewayOptions;

  constructor(options: FakePushgatewayOptions) {
    this.options = options;
  }

  /** Starts with the content of the file, if it exists. */
  async start(): Promise<void> {
    this.groups = readGroups(this.options.file);
    const server = createServer((request, response) => void this.handle(request, response));
    // The proxy keeps a connection open on which it never sends a request. Node's default timeout would close it.
    server.headersTimeout = 0;
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
    this.server = server;
    await this.listen(server);
  }

  /**
   * Listens on the port. Tries again if the port is in use: `freePort` (lib/free-port.ts) of another process may listen
   * for a moment to check the port.
   */
  private async listen(server: Server, triesLeft = 50): Promise<void> {
    server.listen(this.options.port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch (error) {
      if (triesLeft <= 1) throw error;
      await sleep(20);
      await this.listen(server, triesLeft - 1);
    }
  }

  /** Ends like a killed process: closes all connections and forgets what the file doesn't contain. */
  async kill(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.groups = {};
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Returns the samples of a metric without the Pushgateway's labels, e.g. ["a_metric 1"]. */
  samplesOf(name: string): string[] {
    return Object.values(this.groups)
      .flatMap(({ families }) => families[name]?.samples ?? [])
      .map((sample) => sample.replace(/,?instance=.*\} /, "} ").replace("{}", ""));
  }

  /** Returns the content that the file has after a write. */
  content(): string {
    return JSON.stringify(this.groups);
  }

  /** Writes the file atomically. */
  write(content = this.content()): void {
    const { file } = this.options;
    if (file === undefined || this.server === undefined) return;
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  }

  /** Returns the metrics in the text exposition format. */
  page(): string {
    const families = Object.values(this.groups).flatMap((group) => Object.entries(group.families));
    const names = [...new Set(families.map(([name]) => name))].toSorted();
    const pushed = names.map((name) => {
      const same = families.filter(([other]) => other === name).map(([, family]) => family);
      return `# HELP ${name} ${same[0]?.help}\n# TYPE ${name} ${same[0]?.type}\n${same.flatMap(({ samples }) => samples).join("\n")}\n`;
    });
    const times = Object.entries(this.groups).map(
      ([labels, { pushTime }]) =>
        `push_failure_time_seconds{${labels}} 0\npush_time_seconds{${labels}} ${pushTime}\n`,
    );
    return `go_goroutines 7\n${pushed.join("")}${times.join("")}pushgateway_build_info{version="1"} 1\n`;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = decoded(Buffer.concat(chunks), request.headers["content-encoding"]);
    const fault = this.fault({ method, path: url, body: body ?? "" });
    if (fault === "hang") return;
    if (fault === "drop") {
      request.socket.destroy();
      return;
    }
    if (typeof fault === "number") {
      response.writeHead(fault).end("fault\n");
      return;
    }
    const [status, text] = this.isAuthorized(request) ? this.respond(method, url, body) : [401, "no\n"];
    await this.beforeResponse({ method, path: url, body: body ?? "" });
    response.writeHead(status, { "content-type": "text/plain", ...(status === 301 && { location: "/" }) });
    // Two chunks, as in a long response.
    response.write(text.slice(0, -20));
    await sleep(2);
    if (fault === "half") request.socket.destroy();
    else response.end(text.slice(-20));
  }

  private isAuthorized({ headers }: IncomingMessage): boolean {
    const { authorization } = this.options;
    return authorization === undefined || headers.authorization === authorization;
  }

  private respond(method: string, path: string, body: string | undefined): [number, string] {
    if (/\/\.?(\/|$)/.test(path)) return [301, ""];
    if (path === "/-/ready" || path === "/-/healthy") return [200, "OK\n"];
    if (path === "/-/no-group") return [200, ""];
    if (method === "GET" && path === "/metrics") {
      this.countsScrapes ||= this.changes.length > 0;
      return [200, this.page()];
    }
    if (method === "GET" && path === "/api/v1/metrics") return [200, this.api()];
    const [, , ...pairs] = path.split("/").map(decodeURIComponent);
    if (!path.startsWith("/metrics/job/")) return [404, "not found\n"];
    this.changes.push(`${method} ${path}`);
    const status = this.change(method, groupLabels(pairs), body);
    if (this.missedWrites > 0) this.missedWrites -= 1;
    else if (this.writes)
      setTimeout(() => {
        this.write();
      }, 2);
    return [status, status === 400 ? "pushed metrics are invalid or inconsistent\n" : ""];
  }

  private change(method: string, labels: Record<string, string>, body: string | undefined): number {
    const key = Object.entries(labels)
      .map(([name, value]) => `${name}="${value}"`)
      .join(",");
    if (method === "DELETE") {
      this.groups = Object.fromEntries(Object.entries(this.groups).filter(([other]) => other !== key));
      return 202;
    }
    const group = (this.groups[key] ??= { labels, families: {}, pushTime: 0 });
    const families = body === undefined ? undefined : parse(body, key);
    if (families === undefined || this.isInconsistent(families, key)) return 400;
    if (this.countsScrapes && (families[SCRAPES]?.type ?? "counter") !== "counter") return 400;
    group.families = method === "PUT" ? families : { ...group.families, ...families };
    group.pushTime = 1_700_000_000;
    return 200;
  }

  /** Returns whether a family has another type in another group. */
  private isInconsistent(families: Record<string, Family>, key: string): boolean {
    const others = Object.entries(this.groups).filter(([other]) => other !== key);
    return others.some(([, group]) =>
      Object.entries(families).some(([name, { type }]) => (group.families[name]?.type ?? type) !== type),
    );
  }

  private api(): string {
    const data = Object.values(this.groups).map(({ labels, families, pushTime }) => ({
      labels,
      last_push_successful: true,
      push_time_seconds: { time_stamp: "now", metrics: [pushTime] },
      ...families,
    }));
    return JSON.stringify({ status: "success", data });
  }
}

function readGroups(file: string | undefined): Record<string, Group> {
  try {
    return JSON.parse(readFileSync(file ?? "", "utf8")) as Record<string, Group>;
  } catch {
    return {};
  }
}

function decoded(body: Buffer, encoding: string | undefined): string | undefined {
  try {
    return (encoding === "gzip" ? gunzipSync(body) : body).toString("utf8");
  } catch {
    return undefined;
  }
}

/** Returns the labels of a path's pairs, sorted by name. */
function groupLabels(pairs: string[]): Record<string, string> {
  const labels: Record<string, string> = { instance: "" };
  for (let at = 0; at < pairs.length; at += 2) labels[pairs[at] ?? ""] = pairs[at + 1] ?? "";
  return Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Parses samples, and adds the labels of their group. Returns undefined for other text. */
function parse(body: string, labels: string): Record<string, Family> | undefined {
  const families: Record<string, Family> = {};
  const headers: Record<string, string> = {};
  for (const line of body.split("\n")) {
    const [, key = "", header = ""] = /^# ((?:HELP|TYPE) \S+) (.+)$/.exec(line) ?? [];
    headers[key] = header;
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", own = "", value = ""] = /^([a-zA-Z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === "") return undefined;
    const family = (families[name] ??= {
      type: headers[`TYPE ${name}`] ?? "untyped",
      help: headers[`HELP ${name}`] ?? "Help.",
      samples: [],
    });
    // Adds the group's labels only once: the push proxy sends samples that already have them, because it reads them
    // from its canary (the Pushgateway on which it tries each push).
    const rest = own.endsWith(labels) ? own.slice(0, -labels.length) : `${own},`;
    family.samples.push(`${name}{${rest === "," ? "" : rest}${labels}} ${value}`);
  }
  return families;
}
