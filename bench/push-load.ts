// Load generator. Arguments: URL CLIENTS SECONDS. Prints the number of accepted pushes per second.
import { Client } from "undici";
import { push } from "./push.ts";

const [url = "", clients = "", seconds = ""] = process.argv.slice(2);
const until = performance.now() + Number(seconds) * 1000;
let accepted = 0;

/**
 * Pushes sequentially over one connection. This program shares the cores with the measured programs, so it uses undici,
 * which needs little CPU.
 */
async function client(name: string): Promise<void> {
  const connection = new Client(url);
  for (let value = 1; performance.now() < until; value++) {
    if (await push(connection, name, value)) accepted += 1;
  }
  await connection.close();
}

await Promise.all(Array.from({ length: Number(clients) }, (_, at) => client(`client-${at}`)));
console.log(accepted / Number(seconds));
