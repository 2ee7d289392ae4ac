import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { freePort } from "../../lib/free-port.ts";
import { eventually, query } from "./prometheus.ts";

/** The real Prometheus as a process on this computer. */
export interface PrometheusProcess {
  url: string;
  close: () => Promise<void>;
}

/**
 * Starts Prometheus and waits until it responds.
 *
 * @param binary - path of Prometheus's program
 * @param data - data directory; the configuration is written next to it
 * @param flags - additional flags
 * @param configuration - content of its configuration file
 */
export async function startPrometheus(
  binary: string,
  data: string,
  flags: string[] = [],
  configuration: object = {},
): Promise<PrometheusProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = path.join(path.dirname(data), `${path.basename(data)}.yml`);
  await writeFile(config, JSON.stringify(configuration));
  const all = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${data}`,
    // Keeps samples for longer than the program's five years, because some tests have virtual time that
    // starts in 1970.
    "--storage.tsdb.retention.time=100y",
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags,
  ];
  const child = spawn(binary, all, { stdio: "ignore" });
  const ended = once(child, "exit");
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  try {
    await eventually(
      () => query(url, "vector(1)"),
      (found) => found.length === 1,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}
