// Pushes from the machine it runs on: URL CLIENTS SECONDS; prints how many pushes a second were accepted.
import { Client } from "undici";
import { push } from "./push.ts";

const [url = "", clients = "", seconds = ""] = process.argv.slice(2);
const until = performance.now() + Number(seconds) * 1000;
let accepted = 0;

/** One push after the other. A connection each, by the leanest client: it shares the cores with what is measured. */
async function client(name: string): Promise<void> {
  const connection = new Client(url);
  for (let value = 1; performance.now() < until; value++) {
    if (await push(connection, name, value)) accepted += 1;
  }
  await connection.close();
}

await Promise.all(Array.from({ length: Number(clients) }, (_, at) => client(`client-${at}`)));
console.log(accepted / Number(seconds));
