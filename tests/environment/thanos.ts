import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { execa, type ResultPromise } from "execa";
import { ensureToolchain, TEST_TOOLS } from "k8sfv-local-cloud/toolchain";
import { freePort } from "../../lib/free-port.ts";

/** Arguments of {@link startThanos}. */
export interface ThanosArgs {
  /** Directory for the databases and the bucket. */
  dir: string;
  /** Returns the command line that runs a command on the host of Thanos. @default this computer */
  commandLine?: (command: string[]) => Promise<[string, ...string[]]>;
}

/**
 * A Thanos cluster as processes: two replicas of Receive that both store all samples, a Store Gateway on a bucket in a
 * directory, and Query, which merges what they return.
 */
export interface Thanos {
  /** Base URL of Query on the host of Thanos. */
  queryUrl: string;
  /** Remote write URL of each replica of Receive. */
  writeUrls: [string, string];
  /** Uploads Prometheus's blocks in a directory to the bucket, as docs/long-term.md describes. */
  upload(blocks: string): Promise<void>;
  /** Directory of the bucket. */
  bucket: string;
  /** Restarts a stopped replica of Receive. */
  startReceive(replica: 0 | 1): Promise<void>;
  /** Stops a replica. SIGKILL emulates a crash; on SIGTERM it uploads all its blocks to the bucket. */
  stopReceive(replica: 0 | 1, signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  close(): Promise<void>;
}

/**
 * Labels that Receive and the upload of blocks add. Query removes them, so that series are equal to those in
 * Prometheus.
 */
const REPLICA_LABELS = ["receive_replica", "tenant_id"];

/** Starts the Thanos processes, without waiting until Query responds. That takes some more seconds. */
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
    // The kernel kills the Thanos process when the test's process ends for any reason.
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
