import type { IncomingMessage } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

const MAX_PUSH_BYTES = 1_000_000;
const KIB = 2 ** 10;

/** Imports the module with a maximum push size of 1 MB. */
async function importUpload() {
  vi.resetModules();
  for (const name of ["PORT", "GATEWAY_PORT", "CANARY_PORT", "CANARY_PROGRAM", "FILE"])
    vi.stubEnv(`PUSH_PROXY_${name}`, "1");
  for (const name of ["MAX_STORED_BYTES", "TIMEOUT_SECONDS"]) vi.stubEnv(`PUSH_PROXY_${name}`, "1");
  vi.stubEnv("PUSH_PROXY_MAX_PUSH_BYTES", String(MAX_PUSH_BYTES));
  return import("../../components/push-proxy/upload.ts");
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.resetModules();
});

/** Returns a request whose body arrives in chunks, each after a pause in seconds. */
function upload(...chunks: { bytes: number; after?: number }[]): IncomingMessage {
  async function* body() {
    for (const { bytes, after = 0 } of chunks) {
      if (after > 0) await new Promise((resolve) => setTimeout(resolve, after * 1000));
      yield Buffer.alloc(bytes);
    }
  }
  return body() as unknown as IncomingMessage;
}

async function read(incoming: IncomingMessage, maxBytes = MAX_PUSH_BYTES): Promise<number | string> {
  const { readBody, Reservation } = await importUpload();
  const reservation = new Reservation();
  const result = readBody(incoming, reservation, maxBytes);
  await vi.runAllTimersAsync();
  const body = await result;
  reservation.release();
  return typeof body === "number" ? `status ${body}` : body.length;
}

describe("an upload", () => {
  test("of the largest allowed size is read, and of one more byte is rejected with 413", async () => {
    expect(await read(upload({ bytes: MAX_PUSH_BYTES - 10 }, { bytes: 10 }))).toBe(MAX_PUSH_BYTES);
    expect(await read(upload({ bytes: MAX_PUSH_BYTES }, { bytes: 1 }))).toBe("status 413");
    expect(await read(upload(), 0)).toBe(0);
    expect(await read(upload({ bytes: 1 }), 0)).toBe("status 413");
  });

  test("that is too large is read to its end up to 64 MiB, because many clients read no response before", async () => {
    let read64 = 0;
    async function* body() {
      for (;;) {
        await Promise.resolve();
        read64 += 2 ** 20;
        yield Buffer.alloc(2 ** 20);
      }
    }
    expect(await read(body() as unknown as IncomingMessage)).toBe("status 413");
    expect(read64).toBe(65 * 2 ** 20);
  });

  test("may take 10 s, and a second for each 64 KiB", async () => {
    expect(await read(upload({ bytes: 1, after: 9 }))).toBe(1);
    expect(await read(upload({ bytes: 1, after: 11 }))).toBe("status 408");
    const slow = Array.from({ length: 30 }, () => ({ bytes: 16 * KIB, after: 0.25 }));
    expect(await read(upload(...slow, { bytes: 1, after: 9 }))).toBe(30 * 16 * KIB + 1);
    const tooSlow = Array.from({ length: 30 }, () => ({ bytes: 16 * KIB, after: 1 }));
    expect(await read(upload(...tooSlow))).toBe("status 408");
  });

  test("of more than 128 KiB waits while eight others are in memory; the wait doesn't count as its own time", async () => {
    const { readBody, Reservation } = await importUpload();
    const others = Array.from({ length: 8 }, () => new Reservation());
    for (const other of others) await other.grow();
    const small = new Reservation();
    expect(await readBody(upload({ bytes: 128 * KIB }), small, MAX_PUSH_BYTES)).toHaveLength(128 * KIB);
    let done: Buffer | number | undefined;
    const large = new Reservation();
    const chunks = upload({ bytes: 200 * KIB }, { bytes: 1, after: 8 });
    const reading = readBody(chunks, large, MAX_PUSH_BYTES).then((body) => (done = body));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toBeUndefined();
    others[0]?.release();
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await reading).toHaveLength(200 * KIB + 1);
  });
});

describe("memory for a large push", () => {
  test("is reserved once for each push, and is free again after one release", async () => {
    const { Reservation } = await importUpload();
    const all = Array.from({ length: 8 }, () => new Reservation());
    for (const reservation of all) {
      await reservation.grow();
      await reservation.grow();
      expect(reservation.tryHold(MAX_PUSH_BYTES)).toBe(true);
    }
    const next = new Reservation();
    expect(next.tryHold(129 * KIB)).toBe(false);
    expect(next.tryHold(128 * KIB)).toBe(true);
    all[0]?.release();
    all[0]?.release();
    expect(next.tryHold(129 * KIB)).toBe(true);
    expect(new Reservation().tryHold(129 * KIB)).toBe(false);
  });
});
