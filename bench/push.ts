import type { Client } from "undici";

/** Pushes one value as a group. @returns whether it was accepted */
export async function push(connection: Client, instance: string, value: number): Promise<boolean> {
  try {
    const { statusCode, body } = await connection.request({
      path: `/metrics/job/bench/instance/${instance}`,
      method: "PUT",
      body: `# TYPE bench_value gauge\nbench_value ${value}\n`,
    });
    await body.dump();
    return statusCode < 300;
  } catch {
    return false;
  }
}
