// The Grafana stand-in: `grafana server` and `grafana cli admin reset-admin-password`, as in Grafana's image.
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { resetPassword } from "./control.ts";
import { log } from "./log.ts";
import { startServer } from "./server.ts";
import { readSettings, type Settings } from "./core/settings.ts";

const USAGE = `A stand-in for Grafana's HTTP API.
  grafana server [--homepath DIR] [--port N] [--data DIR] [--prometheus URL] [cfg:default.paths.data=DIR]
  grafana cli [--homepath DIR] [--configOverrides cfg:default.paths.data=DIR] admin reset-admin-password
    [--user-id N] (--password-from-stdin | PASSWORD)`;

const OPTIONS = {
  homepath: { type: "string" },
  config: { type: "string" },
  configOverrides: { type: "string" },
  packaging: { type: "string" },
  port: { type: "string" },
  data: { type: "string" },
  prometheus: { type: "string" },
  "password-from-stdin": { type: "boolean" },
  "user-id": { type: "string", default: "1" },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: OPTIONS,
    allowPositionals: true,
    args: process.argv.slice(2),
  });
  const [command, ...more] = positionals;
  const settings = readSettings(
    {
      ...process.env,
      ...fromOverride([...more, ...(values.configOverrides ?? "").split(" ")]),
      ...(values.data === undefined ? {} : { GF_PATHS_DATA: values.data }),
      ...(values.port === undefined ? {} : { GF_SERVER_HTTP_PORT: values.port }),
    },
    values.homepath ?? import.meta.dirname,
  );
  if (command === "server") await serve(settings, values.prometheus);
  else if (command === "cli" && more[0] === "admin" && more[1] === "reset-admin-password") {
    const password = values["password-from-stdin"] === true ? (await text(process.stdin)).trim() : more[2];
    if (password === undefined) throw new Error(USAGE);
    await resetPassword(settings.dataDir, Number(values["user-id"]), password);
    console.log("Admin password changed successfully ✔");
  } else throw new Error(USAGE);
}

/** Runs the server until a signal ends it. */
async function serve(settings: Settings, prometheus: string | undefined): Promise<void> {
  const running = await startServer(settings, prometheus);
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log("info", "Shutdown started", { reason: signal });
      void running.close().then(() => process.exit(0));
    });
  }
}

/**
 * Returns the override `cfg:default.paths.data=…` as the equivalent environment variable; {} if there is no override.
 */
function fromOverride(words: string[]): Record<string, string> {
  const prefix = "cfg:default.paths.data=";
  const found = words.find((word) => word.startsWith(prefix));
  return found === undefined ? {} : { GF_PATHS_DATA: found.slice(prefix.length) };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
