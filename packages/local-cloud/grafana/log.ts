/** Writes one line in Grafana's format, logfmt, to standard output. */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  fields: Record<string, unknown> = {},
): void {
  const all: Record<string, unknown> = {
    logger: "grafana-stand-in",
    t: new Date().toISOString(),
    level,
    msg: message,
    ...fields,
  };
  const words = Object.entries(all).map(([name, value]) => `${name}=${quoted(String(value))}`);
  process.stdout.write(`${words.join(" ")}\n`);
}

function quoted(text: string): string {
  return /^[\w.:/+-]+$/.test(text) ? text : JSON.stringify(text);
}
