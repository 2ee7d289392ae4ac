import { randomInt } from "node:crypto";
import path from "node:path";
import { execa } from "execa";
import {
  type Cloud,
  type SampleResult,
  ciEnvironment,
  ciHost,
  ciHostCommand,
  commandIn,
} from "k8sfv-local-cloud";
import { typeScriptLoader } from "k8sfv-local-cloud/testing";

/** A push and its result. */
export interface CountedPush {
  instance: string;
  value: number;
  /** HTTP status of the response, or the error if there was no response. */
  status: number | string;
  /** Start of the push as Unix time in ms. */
  started: number;
  ms: number;
}

/** Clients on the CI host that push until they are stopped. */
export interface CiPushes {
  /** Stops the clients after their current pushes. Returns all pushes. */
  stop: () => Promise<CountedPush[]>;
}

/** Pause between two pushes of a client, in ms. */
const PAUSE_MS = 300;
const CLIENT = path.join(import.meta.dirname, "push-client.ts");

/** Starts clients on the CI host. Each of them sends one push after the other, without a timeout. */
export async function startCiPushes(
  cloud: Cloud,
  url: string,
  { clients, name }: { clients: number; name: string },
): Promise<CiPushes> {
  const { hostname, port } = new URL(url);
  const running = await Promise.all(
    Array.from({ length: clients }, (_, at) =>
      startClient(cloud, [hostname, port, `${name}-${at}`, String(PAUSE_MS), "0", "0"]),
    ),
  );
  return {
    stop: async () => {
      for (const { client } of running) client.stdin.end("\n");
      const texts = await Promise.all(running.map(async ({ client }) => (await client).stdout));
      return texts.flatMap(countedPushes);
    },
  };
}

/** Sends one push from each of many clients on the CI host, all at the same time. Returns after the last response. */
export async function pushAtOnce(
  cloud: Cloud,
  url: string,
  { clients, bodyBytes, name }: { clients: number; bodyBytes: number; name: string },
): Promise<CountedPush[]> {
  const { hostname, port } = new URL(url);
  const words = [hostname, port, name, "0", String(bodyBytes), String(clients)];
  const { client } = await startClient(cloud, words);
  return countedPushes((await client).stdout);
}

async function startClient(cloud: Cloud, words: string[]) {
  const [file, ...args] = await commandIn(
    cloud,
    ciHost,
    [process.execPath, "--import", typeScriptLoader, CLIENT, ...words],
    "network",
  );
  // In an object, because Execa's process is itself a promise: awaiting startClient would wait until the process ends.
  return { client: execa(file, args, { stdin: "pipe" }) };
}

function countedPushes(text: string): CountedPush[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as CountedPush);
}

/** Runs the client that k8sfv uses (sample-run) repeatedly on the CI host, each time with another mean occupancy. */
export function startSampleRuns(cloud: Cloud, outputs: Record<string, unknown>): CiPushes {
  const over = new AbortController();
  const pushes: CountedPush[] = [];
  const work = (async () => {
    while (!over.signal.aborted) {
      const value = randomInt(30_000_000, 60_000_000);
      const [file, ...args] = await ciHostCommand(cloud, [
        "sample-run",
        "-timeout",
        "20m",
        "-value",
        String(value),
      ]);
      const started = Date.now();
      const { failed, stdout, stderr } = await execa(file, args, {
        env: ciEnvironment(cloud, outputs),
        reject: false,
      });
      const pushed = failed ? Number.NaN : (JSON.parse(stdout) as SampleResult).occupancyMeanBytes;
      const status = failed ? stderr : 202;
      pushes.push({ instance: "sample-run", value: pushed, status, started, ms: Date.now() - started });
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await work;
      return pushes;
    },
  };
}
