import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa, type ResultPromise } from "execa";
import { ensureToolchain } from "../../packages/local-cloud/toolchain/build.ts";
import { TEST_TOOLS } from "../../packages/local-cloud/toolchain/tools.ts";
import { freePort } from "../../tools/free-port.ts";

/** Arguments of {@link startThanos}. */
export interface ThanosArgs {
  /** Directory for the databases and the bucket. */
  dir: string;
  /** Returns the command line that runs a command where Thanos is to run. @default on this machine */
  commandLine?: (command: string[]) => Promise<[string, ...string[]]>;
}

/**
 * A Thanos cluster as processes: two replicas of Receive that both store every sample, a Store Gateway on a bucket in a
 * directory, and Query, which merges what they return.
 */
export interface Thanos {
  /** Base URL of Query, as seen from where Thanos runs. */
  queryUrl: string;
  /** Remote write URL of each replica of Receive. */
  writeUrls: [string, string];
  /** Uploads Prometheus' blocks in a directory to the bucket, as docs/long-term.md does. */
  upload(blocks: string): Promise<void>;
  /** Directory of the bucket. */
  bucket: string;
  /** Starts a replica of Receive that was stopped. */
  startReceive(replica: 0 | 1): Promise<void>;
  /** Stops a replica: SIGKILL is a crash; on SIGTERM it uploads all that it has to the bucket. */
  stopReceive(replica: 0 | 1, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  close(): Promise<void>;
}

/** Labels that Receive adds, and the history's upload has: Query drops them, so that series are Prometheus' own. */
const REPLICA_LABELS = ["receive_replica", "tenant_id"];

/** Starts the cluster. It takes some seconds until Query answers. */
export async function startThanos({ dir, commandLine }: ThanosArgs): Promise<Thanos> {
  const binary = (await ensureToolchain({ tools: TEST_TOOLS, only: ["thanos"] })).path("thanos");
  const bucket = path.join(dir, "bucket");
  const bucketConfig = path.join(dir, "bucket.yml");
  await mkdir(bucket, { recursive: true });
  await writeFile(bucketConfig, JSON.stringify({ type: "FILESYSTEM", config: { directory: bucket } }));
  const objectStorage = `--objstore.config-file=${bucketConfig}`;
  const ports = new Map<string, number>();
  const address = async (name: string): Promise<string> => {
    const port = ports.get(name) ?? (await freePort());
    ports.set(name, port);
    return `127.0.0.1:${port}`;
  };
  const running = new Map<string, ResultPromise>();
  const start = async (name: string, args: string[]): Promise<void> => {
    const listeners = [
      `--http-address=${await address(`${name} HTTP`)}`,
      `--grpc-address=${await address(`${name} gRPC`)}`,
    ];
    // It must not outlive this process, however that ends.
    const command = ["setpriv", "--pdeathsig=KILL", binary, ...args, ...listeners, "--log.level=warn"];
    const [file, ...rest] = (await commandLine?.(command)) ?? command;
    const log = { file: path.join(dir, `${name}.log`), append: true };
    running.set(name, execa(file ?? "", rest, { stdin: "ignore", stdout: log, stderr: log, reject: false }));
  };
  const stop = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const process = running.get(name);
    running.delete(name);
    process?.kill(signal);
    await process;
  };
  const receivers = [await address("receive-0 gRPC"), await address("receive-1 gRPC")];
  const hashrings = JSON.stringify([{ endpoints: receivers }]);
  const startReceive = async (replica: 0 | 1): Promise<void> => {
    const name = `receive-${replica}`;
    await start(name, [
      "receive",
      `--tsdb.path=${path.join(dir, name)}`,
      `--label=receive_replica="${replica}"`,
      "--receive.replication-factor=2",
      `--receive.hashrings=${hashrings}`,
      `--receive.local-endpoint=${receivers[replica]}`,
      `--receive.capnproto-address=${await address(`${name} Cap'n Proto`)}`,
      `--remote-write.address=${await address(`${name} write`)}`,
      objectStorage,
    ]);
  };
  await startReceive(0);
  await startReceive(1);
  await start("store", [
    "store",
    `--data-dir=${path.join(dir, "store")}`,
    "--sync-block-duration=5s",
    objectStorage,
  ]);
  const endpoints = [...receivers, await address("store gRPC")];
  await start("query", [
    "query",
    ...endpoints.map((endpoint) => `--endpoint=${endpoint}`),
    ...REPLICA_LABELS.map((label) => `--query.replica-label=${label}`),
    "--deduplication.func=chain",
  ]);
  const writeUrl = async (replica: 0 | 1) =>
    `http://${await address(`receive-${replica} write`)}/api/v1/receive`;
  return {
    queryUrl: `http://${await address("query HTTP")}`,
    writeUrls: [await writeUrl(0), await writeUrl(1)],
    bucket,
    startReceive,
    stopReceive: (replica, signal) => stop(`receive-${replica}`, signal),
    async upload(blocks) {
      const args = ["tools", "bucket", "upload-blocks", `--path=${blocks}`, objectStorage];
      const label = '--label=receive_replica="history"';
      await execa(binary, [...args, label, "--shipper.upload-compacted", "--log.level=warn"]);
    },
    async close() {
      await Promise.all([...running.keys()].map((name) => stop(name, "SIGKILL")));
    },
  };
}
